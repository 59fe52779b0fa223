// components, hooks, context, Suspense: to text and to a stream
import { createContext, createElement as h, Suspense, use, useContext, useId, useMemo, useState } from 'react'
import { renderToReadableStream, renderToStaticMarkup, renderToString } from 'react-dom/server'

export default async say => {
  const Theme = createContext('light')
  const Button = ({ children }) => h('button', { className: useContext(Theme), onClick() {}, type: 'button' }, children)
  const App = ({ items }) => {
    const [count] = useState(3)
    const sum = useMemo(() => items.reduce((a, b) => a + b, 0), [items])
    return h(
      Theme,
      { value: 'dark' },
      h('p', { id: useId(), style: { color: 'red', marginTop: 2 } }, count, ' & ', sum),
      items.map(n => h('li', { key: n }, n)),
      h(Button, null, '<ok>'),
    )
  }
  say(renderToString(h(App, { items: [1, 2] })))
  say(renderToStaticMarkup(h(App, { items: [] })))
  const later = new Promise(resolve => setTimeout(() => resolve('late'), 20))
  const Slow = () => h('b', null, use(later))
  if (renderToReadableStream === undefined) return
  const stream = await renderToReadableStream(h('main', null, h(Suspense, { fallback: 'wait' }, h(Slow))))
  await stream.allReady
  say(await new Response(stream).text())
}
