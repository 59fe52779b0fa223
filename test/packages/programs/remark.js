// Markdown to HTML by unified, remark and rehype
import rehypeStringify from 'rehype-stringify'
import remarkGfm from 'remark-gfm'
import remarkParse from 'remark-parse'
import remarkRehype from 'remark-rehype'
import { unified } from 'unified'

export default async say => {
  const processor = unified().use(remarkParse).use(remarkGfm).use(remarkRehype).use(rehypeStringify)
  say(String(await processor.process('# Hi *there*\n\n| a |\n|---|\n| b |\n\n- [x] done\n\n~~no~~ https://example.org')))
  say(
    unified()
      .use(remarkParse)
      .parse('> a\n\n- b')
      .children.map(node => node.type),
  )
}
