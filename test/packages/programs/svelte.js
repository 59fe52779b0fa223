// a component that svelte/compiler made (page.svelte), rendered; stores

import { render } from 'svelte/server'
import { derived, get, writable } from 'svelte/store'
import Page from '../made/page.js'

export default async say => {
  const { body, head } = render(Page, { props: { title: 'a & b', items: ['<x>', 'y'] } })
  say(body)
  say(head)
  const count = writable(1)
  const double = derived(count, n => n * 2)
  count.update(n => n + 4)
  say([get(count), get(double)])
}
