/** The posts as an Atom feed (RFC 4287). */
import type { Post } from './posts.build.ts'

/** @param origin of the website, such as `http://www.example.org` */
export function feed(origin: string, posts: readonly Post[]): string {
  const entries = posts.map(({ slug, title, date, summary, html }) => {
    const url = escape(`${origin}/posts/${slug}`)
    return `  <entry>
    <id>${url}</id>
    <title>${escape(title)}</title>
    <updated>${date}T00:00:00Z</updated>
    <link href="${url}"/>
    <summary>${escape(summary)}</summary>
    <content type="html">${escape(html)}</content>
  </entry>
`
  })
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <id>${escape(origin)}/</id>
  <title>A website without an operating system</title>
  <author><name>www</name></author>
  <updated>${posts.at(0)?.date ?? '1970-01-01'}T00:00:00Z</updated>
  <link rel="self" href="${escape(origin)}/feed.xml"/>
${entries.join('')}</feed>
`
}

const escape = (text: string) => text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
