// components with render functions, slots and reactivity, to text
import { computed, createSSRApp, h, inject, provide, reactive, ref } from 'vue'
import { renderToString } from 'vue/server-renderer'

export default async say => {
  const Item = {
    props: ['n'],
    setup:
      (props, { slots }) =>
      () =>
        h('li', { class: { odd: props.n % 2 } }, [props.n, inject('mark'), slots.default?.()]),
  }
  const App = {
    setup() {
      provide('mark', '*')
      const items = ref([1, 2])
      const state = reactive({ name: '<Ann>' })
      const sum = computed(() => items.value.reduce((a, b) => a + b, 0))
      return () => [
        h('p', [state.name, ' ', sum.value]),
        h(
          'ul',
          items.value.map(n => h(Item, { key: n, n }, { default: () => h('b', '!') })),
        ),
      ]
    },
  }
  say(await renderToString(createSSRApp(App)))
  say(await renderToString(createSSRApp({ render: () => h('div', { id: 'a', onClick() {} }, ['x', h('br')]) })))
}
