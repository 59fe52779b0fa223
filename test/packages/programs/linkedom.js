// a document: query, change, serialize
import { parseHTML } from 'linkedom/worker'

export default async say => {
  const { document } = parseHTML('<!doctype html><html><head></head><body><p id="a">x</p></body></html>')
  const p = document.querySelector('#a')
  p.textContent = 'a < b'
  p.classList.add('c')
  document.body.append(Object.assign(document.createElement('b'), { innerHTML: '<i>y</i>' }))
  say(document.toString())
  say([document.querySelectorAll('p, i').length, p.getAttribute('class')])
}
