// colours for code
import Prism from 'prismjs'

export default async say => {
  say(Prism.highlight('if (a < 1) return "x" // c', Prism.languages.javascript, 'javascript'))
  say(Prism.tokenize('<p class="a">', Prism.languages.markup).length)
}
