// schemas, pipes, variants, issues
import * as v from 'valibot'

export default async say => {
  const User = v.object({
    name: v.pipe(v.string(), v.trim(), v.minLength(2)),
    mail: v.pipe(v.string(), v.email()),
    age: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
    kind: v.picklist(['a', 'b']),
  })
  say(v.parse(User, { name: ' Ann ', mail: 'ann@example.org', age: 3, kind: 'a' }))
  const wrong = v.safeParse(User, { name: 'A', mail: 'x', age: 1.5, kind: 'c' })
  say(v.flatten(wrong.issues))
  const Shape = v.variant('type', [v.object({ type: v.literal('x'), n: v.number() }), v.object({ type: v.literal('y'), t: v.string() })])
  say([v.is(Shape, { type: 'x', n: 1 }), v.is(Shape, { type: 'y', n: 1 })])
  say(v.parse(v.pipe(v.string(), v.transform(Number), v.number()), '17'))
}
