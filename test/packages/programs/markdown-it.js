// Markdown: CommonMark, typographer, links, a rule of our own
import MarkdownIt from 'markdown-it'

export default async say => {
  const md = new MarkdownIt({ html: true, linkify: true, typographer: true })
  say(md.render('# "Quotes" -- (c)\n\nsee www.example.org and https://ä.example/x\n\n| a |\n|---|\n| b |\n\n1. one\n   * two\n'))
  md.renderer.rules.strong_open = () => '<b>'
  md.renderer.rules.strong_close = () => '</b>'
  say(md.renderInline('**bold** <i>raw</i> `code`'))
  say(md.parse('> a\n', {}).map(token => token.type))
}
