import { Layout } from './layout.tsx'

export function NotFoundPage({ greeting, path }: { greeting: string; path: string }) {
  return (
    <Layout title="Not found">
      <h1>{greeting}</h1>
      <p>
        There is no <code>{path}</code> here. <a href="/">The front page</a> is.
      </p>
    </Layout>
  )
}
