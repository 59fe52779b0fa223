import type { Message } from '../board.ts'
import type { Post } from '../posts.build.ts'
import { Layout } from './layout.tsx'

export interface FrontPageProps {
  greeting: string
  posts: readonly Post[]
  messages: readonly Message[]
}

export function FrontPage({ greeting, posts, messages }: FrontPageProps) {
  return (
    <Layout title="A website without an operating system">
      <h1>{greeting}</h1>
      <p>
        This page comes from a program in TypeScript that runs by itself on Xen: no Linux, no Node, no disk. The network driver, TCP and the
        web server are TypeScript as well.
      </p>
      <h2>Posts</h2>
      <ul>
        {posts.map(({ slug, title, date }) => (
          <li>
            <a href={`/posts/${slug}`}>{title}</a> <time datetime={date}>{date}</time>
          </li>
        ))}
      </ul>
      <h2>Board</h2>
      <p>
        Up for <output id="uptime">a while</output>. What somebody writes here is seen by all who look, until the program ends.
      </p>
      <form id="write">
        <input name="text" maxlength={200} required autocomplete="off" aria-label="Your message" />
        <button type="submit">Write</button>
      </form>
      <ol id="messages">
        {messages.map(({ text }) => (
          <li>{text}</li>
        ))}
      </ol>
      <script src="/board.js" defer />
    </Layout>
  )
}
