import type { Scenarios, Web } from '../testing.ts'

const attempt = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error: any) {
    return error.name
  }
}

export const patternScenarios: Scenarios = {
  'a path with names': ({ URLPattern }: Web) => {
    const pattern = new URLPattern({ pathname: '/books/:id{/:part}?' })
    return ['http://a/books/7', 'http://a/books/7/3?x#y', 'http://a/books', '/books/1'].map(url => [
      pattern.test(url, 'http://base/'),
      { ...pattern.exec(url, 'http://base/')?.pathname.groups },
    ])
  },
  'wildcards, regular expressions, hosts, queries': ({ URLPattern }: Web) => {
    const patterns = [
      ['https://*.example.com/:kind(\\d+)/*', 'https://www.example.com/12/a/b'],
      ['https://*.example.com/:kind(\\d+)/*', 'https://www.example.com/x/a'],
      ['/a?q=:q', 'http://base/a?q=1'],
      ['/caf\u00e9', 'http://base/caf%C3%A9'],
      [':protocol://h:8080/', 'ws://h:8080/'],
    ]
    return patterns.map(([pattern, url]) => {
      const found = new URLPattern(pattern, 'http://base/').exec(url)
      return found === null ? null : ['protocol', 'hostname', 'port', 'pathname', 'search'].map(part => ({ ...found[part].groups }))
    })
  },
  'what a pattern says of itself': ({ URLPattern }: Web) => {
    const pattern = new URLPattern('http://a:81/x/:y?z#w')
    return ['protocol', 'username', 'password', 'hostname', 'port', 'pathname', 'search', 'hash', 'hasRegExpGroups'].map(
      part => pattern[part],
    )
  },
  'without regard of case; what is no pattern': ({ URLPattern }: Web) => [
    new URLPattern({ pathname: '/Foo' }, { ignoreCase: true }).test({ pathname: '/foo' }),
    new URLPattern({ pathname: '/Foo' }).test({ pathname: '/foo' }),
    attempt(() => new URLPattern('/relative')),
    attempt(() => new URLPattern({ pathname: '/(' })),
    attempt(() => new URLPattern({ pathname: '/:a/:a' })),
  ],
}
