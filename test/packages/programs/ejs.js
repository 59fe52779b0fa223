// templates, includes by a function, delimiters
import ejs from 'ejs'

export default async say => {
  say(
    ejs.render('<h1><%= title %></h1><%- raw %><% for (const one of list) { -%>\n<li><%= one %></li>\n<% } -%>', {
      title: '<a>',
      raw: '<hr>',
      list: [1, 2],
    }),
  )
  say(ejs.compile('[? it ?]'.replace('[? it ?]', '[?= it ?]'), { delimiter: '?', openDelimiter: '[', closeDelimiter: ']' })({ it: 5 }))
  say(await ejs.render('<%= await later %>', { later: Promise.resolve('then') }, { async: true }))
}
