/**
 * The posts: posts/*.md as HTML, the newest first. The name of this module ends in .build.ts: it runs when the program is built, and the
 * program gets what it exports. Neither `marked` nor the Markdown is in the image. Under Node, as in the tests, it is a module like others.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { marked } from 'marked'

export interface Post {
  /** Of its address, and of its file. */
  readonly slug: string
  readonly title: string
  /** YYYY-MM-DD, UTC. */
  readonly date: string
  readonly summary: string
  readonly html: string
}

const folder = join(import.meta.dirname, 'posts')

export const posts: readonly Post[] = readdirSync(folder)
  .filter(name => name.endsWith('.md'))
  .map(name => post(basename(name, '.md'), readFileSync(join(folder, name), 'utf8')))
  .sort((a, b) => (a.date < b.date || (a.date === b.date && a.slug > b.slug) ? 1 : -1))

/** A post begins with lines such as `title: Hello`, up to the first empty one. */
function post(slug: string, text: string): Post {
  const [head, ...body] = text.split('\n\n')
  const fields = new Map(head.split('\n').map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]))
  const field = (name: string): string => {
    const value = fields.get(name)
    if (!value) throw new Error(`posts/${slug}.md has no ${name}: write "${name}: ..." into one of its first lines`)
    return value
  }
  const [title, date, summary] = [field('title'), field('date'), field('summary')]
  if (!/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(Date.parse(date)))
    throw new Error(`posts/${slug}.md: the date '${date}' is none: write it as 2026-11-30`)
  return { slug, title, date, summary, html: marked.parse(body.join('\n\n'), { async: false }) }
}
