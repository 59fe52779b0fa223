// events and a document
import { DomUtils, Parser, parseDocument } from 'htmlparser2'

export default async say => {
  const events = []
  const parser = new Parser({
    onopentag: (name, attributes) => events.push(name, attributes),
    ontext: text => events.push(text),
    onclosetag: name => events.push(`/${name}`),
  })
  parser.write('<p class=x>a &lt; b<br>')
  parser.end('<i>c')
  say(events)
  const document = parseDocument('<div><a href="/x">y</a></div>')
  say(DomUtils.getElementsByTagName('a', document).map(a => [a.attribs.href, DomUtils.textContent(a)]))
  say(DomUtils.getOuterHTML(document))
}
