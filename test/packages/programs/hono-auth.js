// basic-auth and bearer-auth: the right password, and wrong ones
import { Hono } from 'hono'
import { basicAuth } from 'hono/basic-auth'
import { bearerAuth } from 'hono/bearer-auth'

export default async say => {
  const app = new Hono()
  app.use('/basic', basicAuth({ username: 'alice', password: 'wonder' }))
  app.use('/bearer', bearerAuth({ token: 'sesame' }))
  app.get('/*', c => c.text('in'))
  for (const [path, authorization] of [
    ['/basic', `Basic ${btoa('alice:wonder')}`],
    ['/basic', `Basic ${btoa('alice:wander')}`],
    ['/basic', ''],
    ['/bearer', 'Bearer sesame'],
    ['/bearer', 'Bearer open'],
  ]) {
    const response = await app.request(path, { headers: { Authorization: authorization } })
    say([path, authorization, response.status, response.headers.get('www-authenticate'), await response.text()])
  }
}
