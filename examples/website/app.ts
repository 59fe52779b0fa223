/**
 * A website made with hono: pages by hono/jsx, posts in Markdown, an Atom feed, a JSON API, server-sent events and a WebSocket. The program
 * starts here; website.tsx has the routes. The files in public/ are sent as they are (compressed where the browser takes that).
 */
import { arg, assets, http, unikernel } from 'xen-ts'
import { website } from './website.tsx'

export default unikernel({
  name: 'www',
  args: { greeting: arg.string({ default: 'Hello', doc: 'what the front page says' }) },
  devices: { http: http(), files: assets('./public') },
  async start({ http, files, args, log, signal }) {
    log.info(`greeting is ${args.greeting}`)
    const { fetch } = website({ greeting: args.greeting, file: request => files.respond(request) })
    await http.serve({ port: 80, signal }, request => fetch(request))
  },
})
