import test from 'ava'
import type { OnResolveOptions } from 'esbuild'
import { without } from './plugins.ts'

/** What esbuild asks a plugin for. */
function asked(modules: Record<string, string>): RegExp | undefined {
  let filter: RegExp | undefined
  without(modules).setup({
    onResolve(options: OnResolveOptions) {
      filter = options.filter
    },
    onLoad() {},
  } as unknown as Parameters<ReturnType<typeof without>['setup']>[0])
  return filter
}

test('esbuild asks for imports that may be of a module to leave out, and for no others', t => {
  t.is(asked({}), undefined)
  const filter = asked({ '@xen-ts/stack': '', 'stack/udp/udp.ts': '@xen-ts/stack/without-udp', 'stack/tcp/by-name.ts': '' })!
  const paths = ['@xen-ts/stack', './udp.ts', '../udp/udp.ts', '../../udp/udp.js', './by-name.js']
  const others = ['@xen-ts/stack/config', '@xen-ts/stacks', './cudp.ts', './udp.ts.js', './udp/index.ts', 'udp.ts', './by-names.ts', 'hono']
  t.deepEqual(
    [...paths, ...others].filter(path => filter.test(path)),
    paths,
  )
})
