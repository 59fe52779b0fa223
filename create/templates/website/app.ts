/** Puts the pages and the files in public/ on the network. */
import { assets, http, unikernel } from 'xen-ts'
import { pages } from './pages.ts'

export default unikernel({
  name: '{{name}}',
  devices: { http: http(), site: assets('./public') },
  async start({ http, site, signal }) {
    await http.serve({ port: 80, signal }, request => site.respond(request) ?? pages.fetch(request))
  },
})
