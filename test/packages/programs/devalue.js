// cycles, maps, dates, as text
import { parse, stringify, uneval } from 'devalue'

export default async say => {
  const value = { when: new Date(0), list: [1, undefined, -0, NaN], map: new Map([['a', new Set([1n])]]) }
  value.self = value
  const text = stringify(value)
  say(text)
  say(parse(text).self.list.length)
  say(uneval({ a: '</script>', b: Array(1) }))
}
