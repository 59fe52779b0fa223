// signals, memos, stores, and rendering to text
import { createMemo, createRoot, createSignal } from 'solid-js'
import { createStore, produce } from 'solid-js/store'
import { createComponent, escape, renderToString, ssr } from 'solid-js/web'

export default async say => {
  createRoot(dispose => {
    const [count, setCount] = createSignal(1)
    const double = createMemo(() => count() * 2)
    const [store, setStore] = createStore({ list: [1] })
    setCount(5)
    setStore(produce(state => void state.list.push(2)))
    say([count(), double(), store.list])
    dispose()
  })
  const Item = props => ssr(['<li>', '</li>'], escape(props.text))
  const App = () =>
    ssr(
      ['<ul>', '</ul>'],
      ['<a>', 'b'].map(text => createComponent(Item, { text })),
    )
  say(renderToString(() => createComponent(App, {})))
}
