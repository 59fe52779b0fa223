// schemas, refinements, transforms, unions, errors, JSON schema
import * as z from 'zod'

export default async say => {
  const User = z.object({
    name: z.string().min(2).max(20),
    mail: z.email(),
    age: z.coerce.number().int().positive().optional(),
    tags: z.array(z.string()).default([]),
    role: z.enum(['admin', 'guest']),
    when: z.iso.datetime().optional(),
  })
  say(User.parse({ name: 'Ann', mail: 'ann@example.org', age: '42', role: 'admin', when: '2026-01-02T03:04:05Z' }))
  const wrong = User.safeParse({ name: 'A', mail: 'no', age: -1, role: 'root', when: 'today' })
  say(wrong.error.issues.map(({ path, code, message }) => [path.join('.'), code, message]))
  say(z.treeifyError(wrong.error).properties.mail)
  const Shape = z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('circle'), r: z.number() }),
    z.object({ kind: z.literal('square'), a: z.number() }).strict(),
  ])
  say(Shape.safeParse({ kind: 'square', a: 1, b: 2 }).error.message)
  say(
    z
      .string()
      .transform(text => text.length)
      .pipe(z.number().lt(3))
      .safeParse('abcd').success,
  )
  say(
    await z
      .string()
      .refine(async text => text === 'x', 'must be x')
      .safeParseAsync('y')
      .then(r => r.error.issues[0].message),
  )
  say(z.toJSONSchema(User.pick({ name: true, role: true })))
  say(User.partial().shape.name.isOptional())
}
