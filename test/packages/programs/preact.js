// components, hooks and context, to text
import { createContext, h } from 'preact'
import { useContext, useMemo, useState } from 'preact/hooks'
import { render } from 'preact-render-to-string'

export default async say => {
  const Theme = createContext('light')
  const Button = ({ children }) => h('button', { class: useContext(Theme), disabled: true, onClick: () => {} }, children)
  const App = ({ items }) => {
    const [count] = useState(3)
    const sum = useMemo(() => items.reduce((a, b) => a + b, 0), [items])
    return h(
      Theme.Provider,
      { value: 'dark' },
      h('p', { style: { color: 'red' } }, `${count} & ${sum}`),
      items.map(n => h('li', { key: n }, n)),
      h(Button, null, '<ok>'),
    )
  }
  say(render(h(App, { items: [1, 2] })))
}
