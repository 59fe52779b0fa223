/** What is large is in an image only where the program uses it. */
import test, { type ExecutionContext } from 'ava'
import { bundleProgram } from './image-bundle.ts'
import { findProject } from './project.ts'
import { findTarget } from './targets.ts'
import { folderOf } from './testing.ts'

/** What is in an image only where the program asks for it. */
const large = [
  'web-streams-polyfill',
  'stack/http/websocket/',
  'web/file/blob',
  'web/form/',
  'web/compress/compressor',
  'web/compress/inflate',
]

async function parts(t: ExecutionContext, handler: string): Promise<string[]> {
  const found = await modules(t, 'xen', {
    'app.ts': `import { http, unikernel, upgradeWebSocket } from 'xen-ts'
export default unikernel({ name: 'app', devices: { http: http() }, async start({ http, signal }) {
  await http.serve({ port: 80, signal }, ${handler})
} })`,
  })
  return [...large, 'stack/http/server/'].filter(part => found.some(path => path.includes(part)))
}

/** Of an image. @param target a name, or a path in the program's folder */
async function modules(t: ExecutionContext, target: string, files: Record<string, string>): Promise<string[]> {
  const root = folderOf(t, files)
  const { metafile } = await bundleProgram(findProject(root), await findTarget(target, root))
  return Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 && !path.startsWith('without:') ? path : [])),
  )
}

test('streams and WebSockets are linked where the program names them', async t => {
  t.deepEqual(await parts(t, `async request => new Response(await request.text())`), ['stack/http/server/'])
  t.deepEqual(await parts(t, `request => new Response(request.body)`), ['web-streams-polyfill', 'stack/http/server/'])
  t.deepEqual(await parts(t, `request => upgradeWebSocket(request).response`), ['stack/http/websocket/', 'stack/http/server/'])
})

test('Blobs, forms and compression are linked where the program names them, or calls what gives them', async t => {
  const blob = 'web/file/blob'
  const form = [blob, 'web/form/']
  const streams = 'web-streams-polyfill'
  for (const [handler, linked] of [
    [`async request => new Response((await request.blob()).type)`, [blob]],
    [`async request => new Response(new Blob(['a']).slice(1))`, [blob]],
    [`async request => new Response((await request.formData()).get('a'))`, form],
    [`async request => new Response(new FormData())`, form],
    [`async request => new Response((await request.blob()).stream())`, [streams, blob]],
    [`request => new Response(new CompressionStream('gzip').readable)`, [streams, 'web/compress/compressor']],
    [`request => new Response(new DecompressionStream('gzip').readable)`, [streams, 'web/compress/inflate']],
  ] as const)
    t.deepEqual(await parts(t, handler), [...linked, 'stack/http/server/'], handler)
})

test('DNS is in an image whose program asks for names, UDP in one that sends datagrams or gets its address by DHCP', async t => {
  const parts = ['stack/dns/client', 'stack/tcp/by-name', 'stack/udp/udp', 'stack/dhcp/client']
  const handler = 'export default { fetch: () => new Response() }'
  const uses = (imports: string, devices: string, start = '') =>
    `${imports}\nimport { unikernel } from 'xen-ts'\nexport default unikernel({ name: 'a', devices: { ${devices} }, async start({ http, signal }) { ${start} } })`
  const serves = (body: string) =>
    uses(`import { http } from 'xen-ts'`, 'http: http()', `await http.serve({ port: 80, signal }, async request => ${body})`)
  const [names, byName, udp] = parts
  const own = `import { connect as base, target as xen } from '@xen-ts/targets/qubes'\nexport const target = { ...xen, name: 'own', globals: [] }\nexport const connect = context => base(context)`
  for (const [app, qubes, xen] of [
    [handler, [], [udp]],
    [serves('new Response()'), [], [udp]],
    [serves(`await fetch('http://example.org/')`), [names, byName, udp], [names, byName, udp]],
    [`import { stack } from 'xen-ts'\n${handler}`, [], [udp]], // esbuild takes the import out
    [uses(`import { stack } from 'xen-ts'`, 'net: stack()'), [names, byName, udp], [names, byName, udp]],
    [uses(`import { provided } from 'xen-ts'`, `net: provided('stack')`), [names, byName, udp], [names, byName, udp]],
    [uses(`import { httpClient } from '@xen-ts/stack/client'`, 'web: httpClient()'), [names, byName, udp], [names, byName, udp]],
    [uses('', ''), [], []],
  ] as const) {
    for (const [target, linked] of [
      ['qubes', qubes],
      ['xen', xen],
    ] as const) {
      const found = await modules(t, target, { 'app.ts': app })
      const expected = target === 'xen' && linked.length > 0 ? [...linked, parts[3]] : linked
      t.deepEqual(
        parts.filter(part => found.some(path => path.includes(part))),
        [...expected],
        `${target}\n${app}`,
      )
    }
  }
  // What another target's code does is not known.
  const found = await modules(t, './target.ts', { 'app.ts': handler, 'target.ts': own })
  t.true([names, byName, udp].every(part => found.some(path => path.includes(part))))
})
