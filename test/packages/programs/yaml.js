// documents with anchors, comments and errors
import { parse, parseAllDocuments, parseDocument, stringify } from 'yaml'

export default async say => {
  say(parse('a: &x [1, 2.5, "three"]\nb: *x\nc:\n  - {d: null, e: yes}\n  - |\n    text\n    more\nf: 2026-01-02\n'))
  say(stringify({ list: [1, { a: 'x: y' }], text: 'two\nlines', none: null }))
  const document = parseDocument('# top\na: 1 # one\n')
  document.set('b', [true])
  say(String(document))
  say(parseDocument('a: [1').errors.map(error => error.code))
  say(parseAllDocuments('--- 1\n--- 2\n').map(one => one.toJS()))
}
