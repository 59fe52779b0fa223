/** The routes: a page with a form and the list of files (basic-auth), tokens (JWT), and the files for who shows one. All of it is hono, unmodified. */
import { Hono } from 'hono'
import { basicAuth } from 'hono/basic-auth'
import { compress } from 'hono/compress'
import { etag } from 'hono/etag'
import { html } from 'hono/html'
import { jwt, sign } from 'hono/jwt'

/** Bytes of a form, and of all files that are kept: older ones go. */
export const LARGEST = 16 * 1024 * 1024
const KEPT = 24 * 1024 * 1024

export interface DropOptions {
  password: string
  /** What tokens are signed with. */
  secret: string
}

export function drop({ password, secret }: DropOptions): Hono {
  const files = new Map<string, File>()
  const app = new Hono()

  const withPassword = basicAuth({ username: 'me', password })
  app.use('/', withPassword)
  app.use('/token', withPassword)
  app.use('/', compress(), etag())
  app.use('/files/*', jwt({ secret, alg: 'HS256' }))

  app.get('/', c => c.html(page([...files.values()])))
  app.post('/', async c => {
    const { file } = await c.req.parseBody()
    if (!(file instanceof File)) return c.text('the form has no file\n', 400)
    keep(files, file)
    return c.redirect('/', 303)
  })
  app.get('/token', async c => c.text(await sign({ sub: 'me', exp: Math.floor(Date.now() / 1000) + 3600 }, secret, 'HS256')))
  app.get('/files/:name', c => {
    const file = files.get(c.req.param('name'))
    return file === undefined
      ? c.notFound()
      : c.body(file.stream(), 200, { 'content-length': `${file.size}`, 'content-type': 'application/octet-stream' })
  })
  return app
}

function keep(files: Map<string, File>, file: File): void {
  files.delete(file.name)
  files.set(file.name, file)
  let size = 0
  for (const [name, { size: more }] of [...files].reverse()) if ((size += more) > KEPT) files.delete(name)
}

const page = (files: readonly File[]) => html`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>files</title></head>
<body>
<h1>Files</h1>
<ul>${files.map(({ name, size }) => html`<li>${name}, ${size} bytes</li>`)}</ul>
<form method="post" enctype="multipart/form-data"><input type="file" name="file" required> <button>send</button></form>
</body>
</html>
`
