// procedures over fetch, with zod
import { initTRPC } from '@trpc/server'
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import * as z from 'zod'

export default async say => {
  const t = initTRPC.create()
  const router = t.router({
    hello: t.procedure.input(z.object({ name: z.string() })).query(({ input }) => `hello ${input.name}`),
    add: t.procedure.input(z.array(z.number())).mutation(({ input }) => input.reduce((a, b) => a + b, 0)),
  })
  const ask = async (path, init) => {
    const response = await fetchRequestHandler({
      endpoint: '/trpc',
      req: new Request(`http://a.example/trpc/${path}`, init),
      router,
      createContext: () => ({}),
    })
    const { result, error } = await response.json()
    say([response.status, result, error?.message.slice(0, 60)])
  }
  await ask(`hello?input=${encodeURIComponent('{"name":"Ann"}')}`)
  await ask('add', { method: 'POST', body: '[1,2]', headers: { 'Content-Type': 'application/json' } })
  await ask('none')
}
