/** What is large is in an image only where the program uses it. */
import test from 'ava'
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

async function parts(t: Parameters<typeof folderOf>[0], handler: string): Promise<string[]> {
  const root = folderOf(t, {
    'app.ts': `import { http, unikernel, upgradeWebSocket } from 'xen-ts'
export default unikernel({ name: 'app', devices: { http: http() }, async start({ http, signal }) {
  await http.serve({ port: 80, signal }, ${handler})
} })`,
  })
  const { metafile } = await bundleProgram(findProject(root), await findTarget('xen', root))
  const found = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? path : [])),
  )
  return [...large, 'stack/http/server/'].filter(part => found.some(path => path.includes(part)))
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
