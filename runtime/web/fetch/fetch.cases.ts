import type { Scenarios } from '../testing.ts'

export const fetchScenarios: Scenarios = {
  'headers join, sort, trim and lower': ({ Headers }) => {
    const headers = new Headers({ 'X-B': ' 1 ', 'x-a': '2' })
    headers.append('X-b', '3')
    headers.append('Set-Cookie', 'a=1')
    headers.append('set-cookie', 'b=2')
    headers.set('x-c', '4')
    headers.delete('X-A')
    return [[...headers], headers.get('x-b'), headers.get('none'), headers.has('X-C'), headers.getSetCookie(), headers.get('set-cookie')]
  },
  'headers from pairs': ({ Headers }) => [
    ...new Headers([
      ['b', '1'],
      ['a', '2'],
      ['b', '3'],
    ]),
  ],
  'headers from headers are a copy': ({ Headers }) => {
    const first = new Headers({ a: '1' })
    const second = new Headers(first)
    second.set('a', '2')
    return [first.get('a'), second.get('a')]
  },
  'neither headers nor their copy see what the other changes, a copy of a copy neither': ({ Headers }) => {
    const first = new Headers([
      ['a', '1'],
      ['set-cookie', 'x'],
    ])
    const second = new Headers(first)
    const third = new Headers(second)
    first.append('a', '2')
    first.append('set-cookie', 'y')
    second.delete('set-cookie')
    third.set('b', '3')
    const fourth = new Headers(first)
    first.delete('a')
    return [[...first], [...second], [...third], [...fourth]]
  },
  'forEach of a copy sees what is added meanwhile': ({ Headers }) => {
    const first = new Headers({ a: '1' })
    const second = new Headers(first)
    const seen: string[] = []
    second.forEach((value: string, name: string, headers: { append(name: string, value: string): void }) => {
      seen.push(name, value)
      if (name === 'a') headers.append('b', '2')
    })
    return [seen, [...first], [...second]]
  },
  'a bad header name': ({ Headers }) => new Headers({ 'a b': '1' }),
  'a bad header value': ({ Headers }) => new Headers({ a: 'x\ny' }),
  'a pair of three': ({ Headers }) => new Headers([['a', 'b', 'c']]),
  'headers from null': ({ Headers }) => new Headers(null),
  forEach: ({ Headers }) => {
    const seen: unknown[] = []
    new Headers({ b: '1', a: '2' }).forEach((value: string, name: string) => seen.push(name, value))
    return seen
  },

  'dictionaries may be null': async ({ Response, Request }) => [
    await new Response('x', null).text(),
    new Request('http://a/', null).method,
    new Response(null, undefined).status,
  ],
  'a status is a number, whatever it was': ({ Response }) =>
    ['201', 200.5, true, null, '', NaN, Infinity, 'x', [404], {}].map(status => {
      try {
        return new Response(null, { status }).status
      } catch (error) {
        return (error as Error).name
      }
    }),
  'a status of a redirection likewise': ({ Response }) => [
    Response.redirect('http://a/', '301').status,
    Response.redirect('http://a/', 307.5).status,
  ],
  'objects of these classes have no members of their own that they do not share': ({ Response, Request }) => [
    'defaultType' in new Response('x'),
    'defaultType' in new Request('http://a/'),
  ],

  'what they are is not in members of their own, and cannot be written': ({ Response, Request }) => {
    const [request, response] = [new Request('http://a/'), new Response('x')]
    const write = (object: any, name: string): string => {
      try {
        object[name] = 'y'
        return 'written'
      } catch (error) {
        return (error as Error).name
      }
    }
    return [
      Object.keys(request),
      Object.keys(response),
      JSON.stringify(response),
      ...['method', 'url', 'headers', 'redirect'].map(name => write(request, name)),
      ...['status', 'statusText', 'headers'].map(name => write(response, name)),
      [request, response].map(({ headers: first }, i) => first === [request, response][i].headers),
      'text' in Response.prototype && Object.getPrototypeOf(Response.prototype) === Object.prototype,
    ]
  },
  'an object of headers is read anew for each': ({ Headers, Response }) => {
    const record: Record<string, string> = { 'X-A': '1', 'x-b': '2' }
    const all = [[...new Headers(record)]]
    record['x-b'] = '3'
    all.push([...new Headers(record)])
    const response = new Response(null, { headers: record })
    response.headers.set('x-a', '9')
    response.headers.append('x-c', '8')
    all.push([...response.headers], [...new Headers(record)], [...new Response('text', { headers: record }).headers])
    all.push([...new Headers({ 'X-A': 1, 'x-b': { toString: () => 'object' } })])
    return all
  },
  'headers of a request from a request are its own': ({ Request }) => {
    const first = new Request('http://a/', { headers: { 'x-a': '1' } })
    const second = new Request(first)
    second.headers.set('x-a', '2')
    const third = new Request(first)
    first.headers.delete('x-a')
    return [first, second, third].map(({ headers }) => [...headers])
  },
  'each response of json has headers of its own': async ({ Response }) => {
    const first = Response.json({ a: 1 })
    first.headers.set('content-type', 'x/y')
    first.headers.set('a', '1')
    const second = Response.json([2])
    return [[...first.headers], [...second.headers], await second.text(), second.status, await Response.json(3, { status: 201 }).text()]
  },
  'what was read, or taken by another, stays so': async ({ Request, Response }) => {
    const given = new Request('http://a/', { method: 'POST', body: 'x' })
    const taken = new Request(given)
    const response = new Response('x')
    await response.text()
    const { body } = response
    return [given.bodyUsed, taken.bodyUsed, await taken.text(), response.bodyUsed, body.locked, body === response.body]
  },

  'a plain response': async ({ Response }) => {
    const response = new Response('é')
    return [
      response.status,
      response.ok,
      response.statusText,
      response.type,
      response.url,
      response.redirected,
      [...response.headers],
      response.bodyUsed,
      await response.text(),
      response.bodyUsed,
    ]
  },
  'bytes of a response': async ({ Response }) => [...new Uint8Array(await new Response('é\0').arrayBuffer())],
  'a response of bytes has no type': ({ Response }) => [...new Response(new Uint8Array(2)).headers],
  'a response of form data has one': ({ Response, URLSearchParams }) => [...new Response(new URLSearchParams('a=1')).headers],
  'a given type stays': ({ Response }) => [...new Response('x', { headers: { 'content-type': 'text/html' } }).headers],
  'json of a response': ({ Response }) => new Response('{"a":[1]}').json(),
  'json that is none': ({ Response }) => new Response('{').json(),
  'Response.json': async ({ Response }) => {
    const response = Response.json({ a: 1 }, { status: 201, headers: { b: 'c' } })
    return [response.status, [...response.headers], await response.text()]
  },
  'Response.json of undefined': ({ Response }) => Response.json(undefined),
  'Response.redirect': ({ Response }) => {
    const response = Response.redirect('http://a/../b', 307)
    return [response.status, response.headers.get('location')]
  },
  'Response.redirect 200': ({ Response }) => Response.redirect('http://a/', 200),
  'a status of 199': ({ Response }) => new Response('', { status: 199 }),
  'a status of 600': ({ Response }) => new Response('', { status: 600 }),
  'a body with 204': ({ Response }) => new Response('x', { status: 204 }),
  'null with 204': ({ Response }) => new Response(null, { status: 204 }).body,
  'a line break in statusText': ({ Response }) => new Response('', { statusText: 'a\nb' }),
  'reading twice': async ({ Response }) => {
    const response = new Response('x')
    await response.text()
    return response.text()
  },
  'an empty body may be read twice': async ({ Response }) => {
    const response = new Response()
    return [await response.text(), await response.text(), response.bodyUsed, response.body]
  },
  'body is a stream of bytes': async ({ Response }) => {
    const response = new Response('abc')
    const chunks = []
    for await (const chunk of response.body) chunks.push(...chunk)
    return [chunks, response.bodyUsed]
  },
  'body of what was read': async ({ Response }) => {
    const response = new Response('abc')
    await response.text()
    return [response.body !== null, response.bodyUsed]
  },
  'a response of a stream': ({ Response, ReadableStream }) => {
    const bytes = (text: string) => new TextEncoder().encode(text)
    return new Response(
      new ReadableStream({
        start(c: any) {
          c.enqueue(bytes('a'))
          c.enqueue(bytes('é'))
          c.close()
        },
      }),
    ).text()
  },
  'a stream of text is refused': ({ Response, ReadableStream }) =>
    new Response(
      new ReadableStream({
        start(c: any) {
          c.enqueue('a')
          c.close()
        },
      }),
    ).text(),
  'clones read independently': async ({ Response, ReadableStream }) => {
    const results = []
    for (const body of [
      'abc',
      new ReadableStream({
        start(c: any) {
          c.enqueue(Uint8Array.of(97))
          c.close()
        },
      }),
    ]) {
      const response = new Response(body, { status: 201, headers: { a: 'b' } })
      const copy = response.clone()
      copy.headers.set('a', 'c')
      results.push(await response.text(), await copy.text(), copy.status, response.headers.get('a'))
    }
    return results
  },
  'a clone of what was read': async ({ Response }) => {
    const response = new Response('x')
    await response.text()
    return response.clone()
  },
  'a byte order mark': async ({ Response }) => [
    await new Response('\ufeffa').text(),
    await new Response(Uint8Array.of(0xef, 0xbb, 0xbf, 97)).text(),
  ],

  'a plain request': ({ Request }) => {
    const request = new Request('http://A/b/../c?d#e')
    return [
      request.method,
      request.url,
      [...request.headers],
      request.body,
      request.signal.aborted,
      request.redirect,
      request.mode,
      request.cache,
    ]
  },
  'a request with a body': async ({ Request }) => {
    const request = new Request('http://a', { method: 'post', body: 'x', headers: { b: 'c' } })
    return [request.method, [...request.headers], await request.text(), request.bodyUsed]
  },
  'a request from a request': async ({ Request }) => {
    const first = new Request('http://a/', { method: 'PUT', body: 'x', headers: { b: 'c' } })
    const second = new Request(first, { headers: { d: 'e' } })
    return [second.method, second.url, [...second.headers], await second.text(), first.bodyUsed]
  },
  'a clone of a request': async ({ Request }) => {
    const first = new Request('http://a/', { method: 'PUT', body: 'x' })
    const second = first.clone()
    return [await first.text(), await second.text(), second.method, second.url]
  },
  'unusual methods keep their case': ({ Request }) =>
    ['Get', 'FOO', 'query', 'dElEtE'].map(method => new Request('http://a', { method }).method),
  'a method that may not be': ({ Request }) => new Request('http://a', { method: 'trace' }),
  'a method that is none': ({ Request }) => new Request('http://a', { method: 'a b' }),
  'GET with a body': ({ Request }) => new Request('http://a', { body: 'x' }),
  'credentials in the address': ({ Request }) => new Request('http://u:p@a'),
  'an address that is none': ({ Request }) => new Request('/x'),
  'the signal follows': ({ Request }) => {
    const controller = new AbortController()
    const request = new Request('http://a', { signal: controller.signal })
    controller.abort()
    return request.signal.aborted
  },
  'bytes that the caller changes afterwards': async ({ Request, Response }) => {
    const texts: string[] = []
    for (const make of [
      (body: any) => new Response(body),
      (body: any) => new Request('http://a', { method: 'POST', body }),
      (body: any) => new Response(body).clone(),
    ]) {
      const bytes = Uint8Array.of(97, 98, 99)
      const made = [make(bytes), make(bytes.buffer), make(new DataView(bytes.buffer, 1)), make(new Uint16Array(bytes.buffer, 0, 1))]
      bytes.fill(120)
      for (const each of made) texts.push(await each.text())
    }
    return texts
  },
  'what is read from a body changes neither a clone nor the source': async ({ Response, ReadableStream }) => {
    const texts: string[] = []
    for (const body of [
      'text',
      Uint8Array.of(97, 98),
      new ReadableStream({ start: (c: any) => (c.enqueue(Uint8Array.of(99, 100)), c.close()) }),
    ]) {
      const response = new Response(body)
      const clone = response.clone()
      ;(await response.body.getReader().read()).value.fill(120)
      texts.push(await clone.text())
    }
    const chunk = Uint8Array.of(97)
    const bytes = await new Response(new ReadableStream({ start: (c: any) => (c.enqueue(chunk), c.close()) })).bytes()
    bytes[0] = 120
    return [texts, chunk[0]]
  },
  'a body that was read is locked': async ({ Response }) => {
    const response = new Response('x')
    await response.text()
    return [response.body.locked, response.bodyUsed]
  },
  'a body is a byte stream': async ({ Response }) => {
    const results: unknown[] = []
    for (const body of ['abc', '', Uint8Array.of(1, 2)]) {
      const reader = new Response(body).body.getReader({ mode: 'byob' })
      for (;;) {
        const { done, value } = await reader.read(new Uint8Array(2))
        results.push(done, [...(value ?? [])])
        if (done) break
      }
    }
    return results
  },
  'a stream as the body of a request asks for duplex': ({ Request, ReadableStream }) =>
    [undefined, 'half', 'full'].map(duplex => {
      try {
        return new Request('http://a', { method: 'POST', body: new ReadableStream(), duplex }).method
      } catch (error: any) {
        return error.name
      }
    }),
  'headers that change while they are read': ({ Headers }) => {
    const headers = new Headers({ b: '1', d: '2' })
    const seen: string[] = []
    for (const [name] of headers) {
      seen.push(name)
      if (name === 'b') headers.delete('b')
      if (name === 'd') headers.append('e', '3')
      if (seen.length > 5) break
    }
    return [seen, Object.prototype.toString.call(headers.keys()), typeof headers.keys().next, headers[Symbol.iterator] === headers.entries]
  },
  'headers from what is odd': ({ Headers, URLSearchParams }) =>
    [
      () => [...new Headers([['a', undefined]])],
      () => [...new Headers([new Set(['a', 'b'])])],
      () => [...new Headers([['a']])],
      () => [...new Headers({ [Symbol('x')]: '1' })],
      () => [...new Headers(Object.defineProperty(new Headers({ a: '1' }), Symbol.iterator, { value: () => [['b', '2']].values() }))],
      () => [...new URLSearchParams({ '\ud800': '1', '\udfff': '2', a: '3' })],
      () => Object.prototype.toString.call(new URLSearchParams().values()),
    ].map(make => {
      try {
        return make()
      } catch (error: any) {
        return error.name
      }
    }),
}
