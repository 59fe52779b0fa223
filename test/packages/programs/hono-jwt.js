// jwt: sign, verify, a route behind it
import { Hono } from 'hono'
import { decode, jwt, sign, verify } from 'hono/jwt'

export default async say => {
  const secret = 'a secret of some length'
  const token = await sign({ sub: 'alice', iat: 1700000000 }, secret, 'HS256')
  say(token)
  say(decode(token))
  say(await verify(token, secret, 'HS256'))
  say(await verify(token, 'another', 'HS256').catch(error => error.name))
  const app = new Hono()
  app.use(jwt({ secret, alg: 'HS256' }))
  app.get('/', c => c.json(c.get('jwtPayload')))
  for (const sent of [token, `${token}x`]) {
    const response = await app.request('/', { headers: { Authorization: `Bearer ${sent}` } })
    say([response.status, await response.text()])
  }
}
