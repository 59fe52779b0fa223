// Set-Cookie to objects
import * as cookies from 'set-cookie-parser'

export default async say => {
  const parse = cookies.parse ?? cookies.default.parse
  const split = cookies.splitCookiesString ?? cookies.default.splitCookiesString
  say(parse(['a=1; Path=/; HttpOnly', 'b=2; Max-Age=60; SameSite=Lax']))
  say(split('a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT, b=2'))
}
