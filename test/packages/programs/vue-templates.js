// components with templates as text, to text
import { createSSRApp } from 'vue'
import { renderToString } from 'vue/server-renderer'

export default async say => {
  say(
    await renderToString(
      createSSRApp({ data: () => ({ items: [1, 2] }), template: '<ul><li v-for="n in items" :key="n">{{ n }}</li></ul>' }),
    ),
  )
}
