// ICU messages: plural, select, number
import { IntlMessageFormat } from 'intl-messageformat'

export default async say => {
  const message = new IntlMessageFormat(
    '{n, plural, =0 {none} one {# item} other {# items}} for {who, select, a {Ann} other {others}}',
    'en',
  )
  say([0, 1, 5].map(n => message.format({ n, who: n ? 'a' : 'b' })))
  say(new IntlMessageFormat('{n, number} and {p, number, percent}', 'en').format({ n: 1234.5, p: 0.25 }))
}
