// match, compile, parse
import { compile, match, parse, pathToRegexp } from 'path-to-regexp'

export default async say => {
  const posts = match('/posts/:id{.:format}')
  say([posts('/posts/7.json'), posts('/posts/7'), posts('/x'), match('/files/*path')('/files/a/b%20c')])
  say([compile('/u/:name')({ name: 'a b' }), parse('/a{/:b}').tokens.length, pathToRegexp('/a/:b').regexp.test('/a/1')])
}
