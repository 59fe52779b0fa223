// a schema, queries, variables, errors
import { buildSchema, graphql, parse, print, validate } from 'graphql'

export default async say => {
  const schema = buildSchema(
    'type Query { hello(name: String = "you"): String!, posts(first: Int!): [Post!]! } type Post { id: ID!, title: String }',
  )
  const rootValue = {
    hello: ({ name }) => `hello ${name}`,
    posts: async ({ first }) => Array.from({ length: first }, (_, i) => ({ id: i, title: () => `post ${i}` })),
  }
  const ask = async (source, variableValues) => say(await graphql({ schema, rootValue, source, variableValues }))
  await ask('{ hello }')
  await ask('query ($n: Int!) { posts(first: $n) { id title } hello(name: "Ann") }', { n: 2 })
  await ask('{ hello(name: 1) }')
  say(validate(schema, parse('{ nothing }')).map(error => error.message))
  say(print(parse('query A{a(b:{c:[1,2]}){...F}} fragment F on T{x}')))
}
