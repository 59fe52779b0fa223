// a GraphQL server as a fetch handler
import { createSchema, createYoga } from 'graphql-yoga'

export default async say => {
  const yoga = createYoga({
    schema: createSchema({ typeDefs: 'type Query { hello: String }', resolvers: { Query: { hello: () => 'world' } } }),
    logging: false,
  })
  const response = await yoga.fetch('http://a.example/graphql', {
    method: 'POST',
    body: '{"query":"{ hello }"}',
    headers: { 'Content-Type': 'application/json' },
  })
  say([response.status, await response.text()])
}
