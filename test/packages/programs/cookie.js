// parse and serialize
import * as cookie from 'cookie'

export default async say => {
  const parse = cookie.parse ?? cookie.parseCookie
  const serialize = cookie.serialize ?? cookie.stringifySetCookie
  say(parse('a=1; b=%20x; c="q"'))
  say(serialize('id', 'x y', { httpOnly: true, secure: true, maxAge: 60, path: '/', sameSite: 'lax', expires: new Date(0) }))
}
