// types as text
import { type } from 'arktype'

export default async say => {
  const User = type({ name: 'string > 1', 'age?': 'number.integer >= 0', kind: "'a' | 'b'" })
  say(User({ name: 'Ann', age: 3, kind: 'a' }))
  say(String(User({ name: 'A', age: -1, kind: 'c' }).summary))
}
