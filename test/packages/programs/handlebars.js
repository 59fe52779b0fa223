// templates, helpers, partials, escapes
import Handlebars from 'handlebars'

export default async say => {
  Handlebars.registerHelper('loud', text => String(text).toUpperCase())
  Handlebars.registerPartial('item', '<li>{{@index}} {{name}}</li>')
  const page = Handlebars.compile(
    '<h1>{{loud title}}</h1>{{#if items}}<ul>{{#each items}}{{> item}}{{/each}}</ul>{{else}}none{{/if}}{{{raw}}}',
  )
  say(page({ title: 'a & b', items: [{ name: '<x>' }, { name: 'y' }], raw: '<hr>' }))
  say(page({ title: 'empty' }))
}
