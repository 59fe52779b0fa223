/** What is large is in an image only where the program uses it. */
import test from 'ava'
import { bundleProgram } from './bundle.ts'
import { findProject } from './project.ts'
import { findTarget } from './targets.ts'
import { folderOf } from './testing.ts'

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
  return ['web-streams-polyfill', 'stack/http/websocket/', 'stack/http/server/'].filter(part => found.some(path => path.includes(part)))
}

test('streams and WebSockets are linked where the program names them', async t => {
  t.deepEqual(await parts(t, `async request => new Response(await request.text())`), ['stack/http/server/'])
  t.deepEqual(await parts(t, `request => new Response(request.body)`), ['web-streams-polyfill', 'stack/http/server/'])
  t.deepEqual(await parts(t, `request => upgradeWebSocket(request).response`), ['stack/http/websocket/', 'stack/http/server/'])
})
