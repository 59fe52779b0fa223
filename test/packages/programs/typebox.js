// schemas as types, checked and compiled
import { Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Value } from '@sinclair/typebox/value'

export default async say => {
  const User = Type.Object({
    name: Type.String({ minLength: 2 }),
    age: Type.Optional(Type.Integer()),
    tags: Type.Array(Type.Union([Type.Literal('a'), Type.Literal('b')])),
  })
  say(Value.Check(User, { name: 'Ann', tags: ['a'] }))
  say([...Value.Errors(User, { name: 'A', tags: ['c'] })].map(({ path, message }) => [path, message]))
  say(TypeCompiler.Compile(User).Check({ name: 'Bob', tags: [] }))
  say(Value.Create(User))
}
