// templates, layouts, escapes
import { Eta } from 'eta/core'

export default async say => {
  const eta = new Eta({ useWith: false })
  eta.loadTemplate('@layout', '<main><%~ it.body %></main>')
  eta.loadTemplate('@page', '<% layout("@layout") %><h1><%= it.title %></h1><% for (const one of it.list) { %><i><%= one %></i><% } %>')
  say(eta.render('@page', { title: 'a & <b>', list: [1, 2] }))
  say(eta.renderString('<%~ it.raw %>', { raw: '<hr>' }))
}
