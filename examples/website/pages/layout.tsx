import type { PropsWithChildren } from 'hono/jsx'

/** What all pages have round their content. */
export function Layout({ title, children }: PropsWithChildren<{ title: string }>) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>{title}</title>
        <link rel="stylesheet" href="/style.css" />
        <link rel="icon" href="/icon.svg" />
        <link rel="alternate" type="application/atom+xml" title="Posts" href="/feed.xml" />
      </head>
      <body>
        <main>{children}</main>
        <footer>
          <a href="/">Front page</a> <a href="/feed.xml">Feed</a> <a href="/api/posts">API</a>
        </footer>
      </body>
    </html>
  )
}
