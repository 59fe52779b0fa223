/** What `bench http` asks for: one small page from a file, beside another that is made at run time. It stays as it is, so that figures can be compared. */
import { arg, assets, http, unikernel } from 'xen-ts'

export default unikernel({
  name: 'page',
  args: { greeting: arg.string({ default: 'Hello', doc: 'what the made page says' }) },
  devices: { http: http(), site: assets('./page') },
  async start({ http, site, args, log, signal }) {
    log.info(`greeting is ${args.greeting}`)
    await http.serve({ port: 80, signal }, request => {
      const { pathname } = new URL(request.url)
      if (pathname === '/greeting') return new Response(`${args.greeting} from ${request.headers.get('host')}\n`)
      return site.respond(request) ?? new Response(`no ${pathname}\n`, { status: 404 })
    })
  },
})
