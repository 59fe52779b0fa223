// parse, stringify, errors
import { parse, stringify } from 'smol-toml'

export default async say => {
  const text = 'title = "a"\n[owner]\nname = \'b\'\nborn = 1979-05-27T07:32:00Z\n[[list]]\nn = 1_000\nx = [0.5, inf]\n[[list]]\nn = 0xff\n'
  say(parse(text))
  say(stringify({ a: 1, b: { c: [true, 'x'] } }))
  try {
    parse('a = ')
  } catch (error) {
    say([error.line, error.column])
  }
}
