import type { Scenarios, Web } from '../testing.ts'

export const parts = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'] as const
export type Part = typeof parts[number]

/** All parts of an address, or the name of the error. */
export function partsOf(Class: any, input: string, base?: string): unknown {
  try {
    const url = new Class(input, base)
    return Object.fromEntries(parts.map(part => [part, url[part]]))
  } catch (error) {
    return (error as Error).name
  }
}

export const inputs = [
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
export const bases = [undefined, 'http://base.example:81/one/two?three#four', 'file:///C:/d/e?f', 'file:///d/e', 'mailto:x', 'foo://h/p/q', 'foo:/p/q']

export const urlScenarios: Scenarios = {
  ...Object.fromEntries(bases.map(base => [`addresses against ${base}`, ({ URL }: Web) => inputs.map(input => partsOf(URL, input, base))])),
  'parameters': ({ URL, URLSearchParams }) => {
    const params = new URLSearchParams('?a=1&b=2+3&a=%C3%A9&=x&&c')
    params.append('d', ' &=\u{1f600}')
    params.set('a', '5')
    params.delete('b')
    params.sort()
    const url = new URL('http://h/?x=1')
    url.searchParams.append('y', '~\'')
    return [String(params), [...params], params.size, url.href]
  },
}
