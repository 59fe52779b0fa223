/** The pages. */
import { Hono } from 'hono'
import { html } from 'hono/html'

const layout = (title: string, body: unknown) => html`<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>${title}</title>
    <link rel="stylesheet" href="/style.css">
  </head>
  <body>
    <h1>${title}</h1>
    ${body}
  </body>
</html>
`

export const pages = new Hono()
  .get('/', page => page.html(layout('{{name}}', html`<p>It works. <a href="/hello/world">Say hello</a>.</p>`)))
  .get('/hello/:who', page => page.html(layout(`Hello, ${page.req.param('who')}`, html`<p><a href="/">Back</a></p>`)))
  .notFound(page => page.html(layout('Not found', html`<p>There is no ${page.req.path} here.</p>`), 404))
