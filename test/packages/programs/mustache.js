// sections, partials, lambdas
import Mustache from 'mustache'

export default async say => {
  const view = { name: '<Ann>', list: [{ n: 1 }, { n: 2 }], bold: () => (text, render) => `<b>${render(text)}</b>` }
  say(
    Mustache.render('{{name}} {{{name}}} {{#list}}{{> row}}{{/list}}{{^none}}none{{/none}} {{#bold}}x {{name}}{{/bold}}', view, {
      row: '({{n}})',
    }),
  )
}
