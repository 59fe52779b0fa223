// a store without React, with middleware

import { subscribeWithSelector } from 'zustand/middleware'
import { createStore } from 'zustand/vanilla'

export default async say => {
  const store = createStore(subscribeWithSelector(set => ({ bears: 0, more: by => set(state => ({ bears: state.bears + by })) })))
  const seen = []
  store.subscribe(
    state => state.bears,
    (now, before) => seen.push([before, now]),
  )
  store.getState().more(2)
  store.setState({ bears: 5 })
  say([seen, store.getState().bears, store.getInitialState().bears])
}
