/** What the build knows of a program before it runs. */
import test, { type ExecutionContext } from 'ava'
import { CliError } from '../errors.ts'
import { bundleProgram } from './image-bundle.ts'
import { findProject } from './project.ts'
import { findTarget } from './targets.ts'
import { bundleFolder, folderOf, program } from './testing.ts'

const serves = async (t: ExecutionContext, files: Record<string, string>) => (await bundleFolder(folderOf(t, files))).network

test('a program without a network device is known to be one', async t => {
  t.false(await serves(t, { 'app.ts': program("say('http()')") }))
  t.false(await serves(t, { 'app.ts': program('say(stack)', 'const http = 5, stack = () => http') }))
  t.false(await serves(t, { 'app.ts': `export { default } from './a.ts'`, 'a.ts': program('') }))
})

test('whatever may have one is taken to have one', async t => {
  for (const source of [
    'export default { fetch: () => new Response() }',
    `import { http, unikernel } from 'xen-ts'\nexport default unikernel({ name: 'a', devices: { http: http() }, start() {} })`,
    `import { stack as net, unikernel } from 'xen-ts'\nexport default unikernel({ name: 'a', devices: { net: net() }, start() {} })`,
    `import * as x from 'xen-ts'\nexport default x.unikernel({ name: 'a', devices: { net: x.stack() }, start() {} })`,
    `import * as x from 'xen-ts'\nconst all = x as any\nexport default all.unikernel({ name: 'a', devices: { net: all['st' + 'ack']() }, start() {} })`,
    `import { ethernet } from '@xen-ts/drivers'\nimport { unikernel } from 'xen-ts'\nexport default unikernel({ name: 'a', devices: { net: ethernet() }, start() {} })`,
    `import { httpClient } from '@xen-ts/stack/client'\nimport { unikernel } from 'xen-ts'\nexport default unikernel({ name: 'a', devices: { web: httpClient() }, start() {} })`,
    `import { make } from './b.ts'\nexport default make`,
    'module.exports = { fetch() {} }',
  ])
    t.true(await serves(t, { 'app.ts': source, 'b.ts': 'export const make = { fetch: () => new Response() }' }), source)
})

test('what no device of the program needs is not in the image', async t => {
  const has = async (devices: string) => {
    const imports = `import { http, stack, unikernel } from 'xen-ts'\nimport { ethernet } from '@xen-ts/drivers'`
    const root = folderOf(t, { 'app.ts': `${imports}\nexport default unikernel({ name: 'a', devices: { ${devices} }, start() {} })` })
    const { code } = await bundleProgram(findProject(root), await findTarget('qubes', root))
    return ['Netfront', 'TcpEngine', 'HttpConnection'].map(name => new RegExp(`\\b${name} = class|class ${name}\\b`).test(code))
  }
  t.deepEqual(await has(''), [false, false, false])
  t.deepEqual(await has('net: ethernet()'), [true, false, false])
  t.deepEqual(await has('net: stack()'), [true, true, false])
  t.deepEqual(await has('net: http()'), [true, true, true])
})

test('a program without a default export is refused', async t => {
  for (const source of ['export const app = 1', `import { unikernel } from 'xen-ts'\nunikernel({ name: 'a', start() {} })`]) {
    const error = await t.throwsAsync(bundleFolder(folderOf(t, { 'app.ts': source })), { instanceOf: CliError }, source)
    t.is(error!.message, 'the program has no default export')
    t.regex(error!.where!, /app\.ts$/)
    t.regex(error!.todo!, /export default unikernel/)
  }
})
