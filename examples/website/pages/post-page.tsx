import { raw } from 'hono/html'
import type { Post } from '../posts.build.ts'
import { Layout } from './layout.tsx'

export function PostPage({ post: { title, date, html } }: { post: Post }) {
  return (
    <Layout title={title}>
      <article>
        <h1>{title}</h1>
        <time datetime={date}>{date}</time>
        {raw(html)}
      </article>
    </Layout>
  )
}
