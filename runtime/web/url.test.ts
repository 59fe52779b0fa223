import test from 'ava'
import fc from 'fast-check'
import { URL as OwnURL } from './url.ts'
import { URLSearchParams as OwnParams } from './url-search-params.ts'

const parts = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'] as const
type Part = typeof parts[number]

function outcome(Class: any, input: string, base?: string): unknown {
  try {
    const url = new Class(input, base)
    return Object.fromEntries(parts.map(part => [part, url[part]]))
  } catch (error) {
    return (error as Error).name
  }
}

const inputs = [
  'http://example.com', 'HTTP://EXAMPLE.com:80/', 'https://user:pass@host:8443/a/b?c=d#e', 'http://a/b/../c/./d/..', 'http://a/%2e%2E/x', 'http://a/b/%2e',
  'http:\\\\a\\b', 'http:a', 'http:/a', 'http:////a/b', '//x/y', '/x?y', '?q', '#f', '', '.', '..', '../../..', 'a/b', '\\x', '/\\x', 'mailto:a@b.c',
  'mailto:x y ?z', 'data:text/plain, a b #c', 'data:x  ?y', 'javascript:a\tb\nc', 'file:///C:/x/../..', 'file://localhost/x', 'file:c|/y', 'file:/C|/', 'file:///', 'file:x',
  'file://host/share', 'file:?q', 'file:#f', 'foo://a:80/b', 'foo://:80/', 'foo:///p', 'foo://', 'foo:/a/../b', 'foo:/..//x', 'foo:/.//p', 'non-special://[::1]/', 'ws://h:80', 'wss://h:443',
  'ftp://h:21/', 'http://1.2.3.4', 'http://1.2', 'http://0x7f.1', 'http://0300.168.0xF0', 'http://256.1.1.1', 'http://1.2.3.4.5', 'http://1.2.3.08', 'http://4294967295', 'http://4294967296',
  'http://[::]', 'http://[1::2:3]', 'http://[1:2:3:4:5:6:7:8]', 'http://[::ffff:1.2.3.4]', 'http://[1:0:0:2:0:0:0:3]', 'http://[::1', 'http://[1:2]', 'http://[::1::]', 'http://[::1.2.3]', 'http://[12345::]', 'http://[0:0:1:0:0:1:0:0]',
  'http://a b', 'http://a%20b', 'http://a<b', 'http://', 'http://:80', 'http://a:', 'http://a:65536', 'http://a:65535', 'http://a:8x', 'http://a:00080', 'http://@a', 'http://a@', 'http://a@b@c', 'http://:@a', 'http://u:@a', 'http://:p@a', 'http://u:p:q@a', 'http://u@p@:x@a/',
  'http://ex%41mple.com', 'http://a%00b', 'http://%zz', 'http://münchen.de/ä?ö#ü', 'http://faß.de', 'http://日本語。jp', 'http://xn--mnchen-3ya.de', 'http://xn--a', 'http://☃.net', 'http://ａ.com', 'http://a..b', 'http://a.', 'http://.', 'http://-a-', 'http://a_b',
  'http://a/ "<>`{}|^\\[]\'', 'http://a/?q= "<>`{}|^\\[]\'', 'foo://a/?q=\'', 'http://a/#f "<>`{}|^', 'http://u "<>@a', 'http://a/\u{1f600}', 'http://a/\ud800x', ' http://a/ ', 'ht\ntp://a\t/b', '1http://a', ':x', 'http', 'http:?q', 'http:#f', 'blob:https://a.b/c', 'blob:x', 'about:blank',
  'http://a//b//', 'http://a/b;c=d/e,f', 'http://a/b%', 'http://a/%zz', 'foo:a#b', 'foo:a?b', 'http://!$&\'()*+,;=@a', 'http://a?', 'http://a#', 'http://a?#', 'foo://A/', 'foo://a%20b/', 'foo://a b/', 'foo://ä/', 'http://0', 'http://0x', 'http://a.0x', 'http://a.1', 'http://1.a', 'http://1.2.3.', 'http://1..2',
]
const bases = [undefined, 'http://base.example:81/one/two?three#four', 'file:///C:/d/e?f', 'file:///d/e', 'mailto:x', 'foo://h/p/q', 'foo:/p/q']

test('a table of addresses, alone and against bases, parses as in Node', t => {
  for (const base of bases) for (const input of inputs) t.deepEqual(outcome(OwnURL, input, base), outcome(URL, input, base), `${input} against ${base}`)
})

const piece = fc.oneof(
  fc.constantFrom('http:', 'https:', 'file:', 'foo:', 'ws:', '//', '/', '\\', '..', '.', '%2e', '?', '#', '@', ':', ':80', ':443', '[::1]', '[', ']', '1.2.3.4', '0x7f', 'C|', 'c:', 'example.com', 'a', ' ', '\t', '%41', '%', 'é', '\'', '"', '&', '=', '+', ';', '^', '|'),
  fc.string({ maxLength: 3, unit: 'binary-ascii' }))
const text = fc.array(piece, { maxLength: 9 }).map(all => all.join(''))

test('addresses put together at random parse as in Node', t => {
  fc.assert(fc.property(text, fc.constantFrom(...bases), (input, base) => {
    t.deepEqual(outcome(OwnURL, input, base), outcome(URL, input, base), JSON.stringify([input, base]))
  }), { numRuns: 20_000 })
})

test('setters change what they change in Node', t => {
  const settable = parts.filter(part => part !== 'origin')
  const starts = ['http://u:p@h:81/a?b#c', 'https://h/', 'file:///C:/x', 'file:///x', 'foo://h/p', 'foo:/p', 'foo:opaque', 'foo:opaque ?q#f', 'ws://h:443/']
  const table = ['', 'x', 'http', 'https:', 'file', 'foo', 'a:1', ':1', 'h:', 'h:2x', '[::1]:5', '#a', '?a', '/a/../b', 'a b', 'ä', '1.2', 'u@v', '443', '99999', '\\x', 'x/y', 'localhost']
  const check = (start: string, part: Part, value: string): void => {
    const results = [OwnURL, URL].map(Class => {
      const url: any = new Class(start)
      const before = url.searchParams
      try { url[part] = value } catch (error) { return (error as Error).name }
      return [...parts.map(other => url[other]), String(before)]
    })
    t.deepEqual(results[0], results[1], JSON.stringify([start, part, value]))
  }
  for (const start of starts) for (const part of settable) for (const value of table) check(start, part, value)
  fc.assert(fc.property(fc.constantFrom(...starts), fc.constantFrom(...settable), text, check), { numRuns: 5_000 })
})

test('URLSearchParams reads, writes and iterates as Node\'s', t => {
  const pair = fc.tuple(fc.string({ unit: 'binary', maxLength: 4 }), fc.string({ unit: 'binary', maxLength: 4 }))
  const action = fc.tuple(fc.constantFrom('append', 'set', 'delete', 'has', 'get', 'getAll'), fc.constantFrom('a', 'b', 'é'), fc.constantFrom('1', '2', ' &'))
  fc.assert(fc.property(fc.oneof(text, fc.array(pair), fc.dictionary(fc.string(), fc.string())), fc.array(action), (init, actions) => {
    const [own, node] = [OwnParams, URLSearchParams].map(Class => {
      const params: any = new Class(init as any)
      const results = actions.map(([name, ...args]) => params[name](...args))
      const before = String(params)
      params.sort()
      return [results, before, String(params), [...params], [...params.keys()], params.size]
    })
    t.deepEqual(own, node)
  }), { numRuns: 3_000 })
  t.throws(() => new OwnParams([['a']] as any), { instanceOf: TypeError })
})

test('searchParams and the address follow each other', t => {
  const url = new OwnURL('http://a/?b=1')
  url.searchParams.append('c', 'd e')
  t.is(url.href, 'http://a/?b=1&c=d+e')
  url.search = '?x=y'
  t.is(url.searchParams.get('x'), 'y')
  url.searchParams.delete('x')
  t.is(url.href, 'http://a/')
})
