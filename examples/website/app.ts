/**
 * A website: the files in public/ (compressed where the browser takes that, in ranges where it asks for some), one page that is made at run
 * time, and a greeting that an argument sets.
 */
import { arg, assets, http, unikernel } from 'xen-ts'

export default unikernel({
  name: 'www',
  args: { greeting: arg.string({ default: 'Hello', doc: 'what the front page says' }) },
  devices: { http: http(), site: assets('./public') },
  async start({ http, site, args, log, signal }) {
    log.info(`greeting is ${args.greeting}`)
    await http.serve({ port: 80, signal }, request => {
      const { pathname } = new URL(request.url)
      if (pathname === '/greeting') return new Response(`${args.greeting} from ${request.headers.get('host')}\n`)
      return site.respond(request) ?? notFound(args.greeting, pathname)
    })
  },
})

function notFound(greeting: string, path: string): Response {
  const page = `<!DOCTYPE html>
<title>Not found</title>
<link rel="stylesheet" href="/style.css">
<main>
<h1>${escape(greeting)}</h1>
<p>There is no <code>${escape(path)}</code> here. <a href="/">The front page</a> is.</p>
</main>
`
  return new Response(page, { status: 404, headers: { 'content-type': 'text/html; charset=utf-8' } })
}

const escape = (text: string) => text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
