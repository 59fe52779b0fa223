// JSON for people
import JSON5 from 'json5'

export default async say => {
  say(JSON5.parse('{a: \'x\', /* c */ b: [1, .5, +Infinity, 0xf,], "d": null}'))
  say(JSON5.stringify({ a: ['x', 1], 'b-c': true }, null, 2))
}
