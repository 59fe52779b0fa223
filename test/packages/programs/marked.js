// Markdown with tables, code, a renderer and an extension of our own
import { Marked, marked } from 'marked'

export default async say => {
  say(
    marked.parse(
      '# Hi *there*\n\n- a\n- [x] b\n\n| a | b |\n|---|:-:|\n| 1 | `2` |\n\n```js\nx < 1\n```\n\n<b>raw</b> [l](http://a.example "t") ~~no~~',
    ),
  )
  const own = new Marked({ renderer: { heading: ({ depth, text }) => `<h${depth + 1}>${text}</h${depth + 1}>\n` } })
  own.use({
    extensions: [
      {
        name: 'mark',
        level: 'inline',
        start: text => text.indexOf('=='),
        tokenizer: text => {
          const found = /^==([^=]+)==/.exec(text)
          return found ? { type: 'mark', raw: found[0], text: found[1] } : undefined
        },
        renderer: token => `<mark>${token.text}</mark>`,
      },
    ],
  })
  say(own.parse('# One\n\nis ==seen=='))
  say(marked.lexer('> a\n\n1. b').map(token => token.type))
}
