// colours for code
import hljs from 'highlight.js/lib/core'
import javascript from 'highlight.js/lib/languages/javascript'
import xml from 'highlight.js/lib/languages/xml'

export default async say => {
  hljs.registerLanguage('javascript', javascript)
  hljs.registerLanguage('xml', xml)
  say(hljs.highlight('const a = `x${1}` // <b>', { language: 'javascript' }).value)
  say(hljs.highlightAuto('<p class="a">b</p>').language)
}
