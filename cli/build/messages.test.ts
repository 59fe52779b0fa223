/** esbuild's messages as the tool says them. */
import test from 'ava'
import { CliError } from '../errors.ts'
import { bundleFolder, folderOf, program } from './testing.ts'

test('a name that a package of ours does not export: the package, and the nearest name', async t => {
  for (const [source, expected] of [
    [`import { unikernle } from 'xen-ts'\nexport default unikernle({})`, /^xen-ts has no unikernle; did you mean unikernel\?$/],
    [`import { qrexcc } from '@xen-ts/qubes'\nexport default qrexcc`, /^@xen-ts\/qubes has no qrexcc; did you mean qrexec\?$/],
    [`import { vnet } from '@xen-ts/drivers'\nexport default vnet`, /^@xen-ts\/drivers has no vnet(; did you mean .*)?$/],
    [`import { b } from './b.ts'\nexport default b`, /(^|\/)b\.ts has no b$/],
  ] as const) {
    const error = await t.throwsAsync(bundleFolder(folderOf(t, { 'app.ts': source, 'b.ts': 'export const a = 1' })), {
      instanceOf: CliError,
    })
    t.regex(error!.message, expected)
    t.regex(error!.where!, /app\.ts:1:10\n/)
  }
  const { warnings } = await bundleFolder(folderOf(t, { 'app.ts': `import * as x from 'xen-ts'\nexport default (x as any).unikernle({})` }))
  t.regex(warnings[0], /^xen-ts has no unikernle; did you mean unikernel\?\n.*app\.ts:2:/)
})

test('import.meta: said in our words', async t => {
  const { warnings } = await bundleFolder(folderOf(t, { 'app.ts': program('say(import.meta.url)') }))
  t.regex(warnings[0], /^import\.meta is empty in an image: there is no file to be relative to\n.*app\.ts:4:/)
})
