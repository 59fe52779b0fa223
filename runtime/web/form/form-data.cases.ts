import type { Scenarios } from '../testing.ts'

const show = (form: any): unknown =>
  [...form].map(([name, value]) => [name, typeof value === 'string' ? value : [value.name, value.type, value.size]])
/** The text of a form as a body, with the boundary as `B`. */
const written = async (Response: any, form: any): Promise<unknown> => {
  const response = new Response(form)
  const [, type, boundary] = /^(.*?); ?boundary=(.*)$/.exec(response.headers.get('content-type'))!
  return [type, (await response.text()).replaceAll(boundary, 'B')]
}

export const formDataScenarios: Scenarios = {
  'append, get, getAll, has, set, delete': ({ FormData }) => {
    const form = new FormData()
    for (const [name, value] of [
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
      ['c', null],
      ['d', 5],
      ['a', undefined],
    ])
      form.append(name, value)
    const before = show(form)
    form.set('a', 'x')
    form.set('e', 'y')
    form.delete('b')
    form.delete('none')
    return [before, show(form), form.get('a'), form.get('b'), form.getAll('a'), form.getAll('b'), form.has('a'), form.has('b')]
  },
  'a blob becomes a file, and a file is kept, or gets another name': async ({ FormData, Blob, File }) => {
    const form = new FormData()
    const file = new File(['ab'], 'a.txt', { type: 'text/a', lastModified: 5 })
    form.append('a', file)
    form.append('a', file, 'b.txt')
    form.append('a', new Blob(['c'], { type: 'x/y' }))
    form.append('a', new Blob(['c']), 'd.txt')
    form.append('a', new Blob(['c']), undefined)
    const all = form.getAll('a')
    return [show(form), all[0] === file, all[1].lastModified, all.every((each: unknown) => each instanceof File), await all[1].text()]
  },
  'text is well formed': ({ FormData }) => {
    const form = new FormData()
    form.append('a\ud800', '\udc00b')
    return [show(form), form.has('a\ufffd'), form.has('a\ud800')]
  },
  'a name of a file for what is none': ({ FormData }) => new FormData().append('a', 'b', 'c'),
  'one argument': ({ FormData }) => new FormData().append('a'),
  'set with one argument': ({ FormData }) => new FormData().set('a'),
  'get without one': ({ FormData }) => new FormData().get(),
  'made of something': ({ FormData }) => new FormData({}),
  'made of null': ({ FormData }) => new FormData(null),
  'made of undefined': ({ FormData }) => show(new FormData(undefined)),
  iterators: ({ FormData }) => {
    const form = new FormData()
    form.append('a', '1')
    form.append('b', '2')
    const all: unknown[] = []
    form.forEach((value: string, name: string, self: unknown) => all.push([value, name, self === form]))
    const entries = form.entries()
    return [all, [...form.keys()], [...form.values()], entries[Symbol.iterator]() === entries]
  },
  'what is added while it is iterated': ({ FormData }) => {
    const form = new FormData()
    form.append('a', '1')
    const seen: unknown[] = []
    for (const [name] of form) {
      seen.push(name)
      if (seen.length < 3) form.append(`x${seen.length}`, '')
    }
    return seen
  },
  'a callback that is none': ({ FormData }) => new FormData().forEach('a'),

  'written as a body': async ({ FormData, Response, File, Blob }) => {
    const form = new FormData()
    form.append('text', 'a\nb\r\nc\rd \u00e4')
    form.append('na"m\r\ne\n', '')
    form.append('file', new File(['b\n\r', Uint8Array.of(0)], 'fi"l\ne\r\u00e4.txt', { type: 'text/plain' }))
    form.append('file', new Blob(['x']))
    return written(Response, form)
  },
  'no entries': async ({ FormData, Response }) => written(Response, new FormData()),
  'a boundary of its own for each': ({ FormData, Response }) => {
    const form = new FormData()
    const [a, b] = [1, 2].map(() => new Response(form).headers.get('content-type'))
    return [a !== b, /^multipart\/form-data; boundary=[-0-9A-Za-z]{27,70}$/.test(a)]
  },
  'what is appended later is not in the body': async ({ FormData, Response }) => {
    const form = new FormData()
    form.append('a', '1')
    const response = new Response(form)
    form.append('b', '2')
    return show(await response.formData())
  },
  'there and back': async ({ FormData, Response, Request, File }) => {
    const form = new FormData()
    form.append('a', 'text \u20ac')
    form.append('q"uo\nte', '%22 %0A')
    form.append('f', new File([Uint8Array.of(13, 10, 45, 45, 0, 255)], 'n"a.bin', { type: 'application/x-y' }))
    form.append('e', new File([], 'empty'))
    const back = await new Response(form).formData()
    const again = await new Request('http://a/', { method: 'POST', body: back }).formData()
    return [show(back), show(again), [...new Uint8Array(await again.get('f').arrayBuffer())]]
  },
  'bodies of blobs and forms, and what they say of themselves': async ({ Blob, FormData, Request, Response, URLSearchParams }) => {
    const types = [new Blob(['a'], { type: 'x/y' }), new Blob(['a']), new URLSearchParams('a=1')].map(body =>
      new Response(body).headers.get('content-type'),
    )
    const own = new Response(new Blob(['a'], { type: 'x/y' }), { headers: { 'content-type': 'own/type' } })
    const request = new Request('http://a/', { method: 'POST', body: new Blob(['ab', 'c'], { type: 'x/y' }) })
    const copy = request.clone()
    const response = new Response(new Blob(['ab', 'c']))
    return [
      types,
      own.headers.get('content-type'),
      await request.text(),
      await copy.text(),
      request.bodyUsed,
      [...(await response.bytes())],
      [...new Uint8Array(await new Response(new Blob(['x'])).arrayBuffer())],
      await new Response(new Blob(['{"a":1}'])).json(),
      new Response(new FormData()).headers.get('content-type').slice(0, 30),
    ]
  },
  'blob() of a body, and its type': async ({ Request, Response }) => {
    const all: unknown[] = []
    for (const type of [
      'text/PLAIN; Charset=x',
      'a/b;c="d e";c=f',
      'none',
      '*/*',
      'a/b, c/d',
      'a/b;charset=u, a/b',
      '',
      'text/plain;charset=',
    ]) {
      const blob = await new Response('ab', { headers: { 'content-type': type } }).blob()
      all.push([blob.type, blob.size])
    }
    const empty = await new Response(null).blob()
    const request = new Request('http://a/', { method: 'POST', body: new Uint8Array(3) })
    return [all, empty.size, empty.type, (await request.blob()).size, request.bodyUsed]
  },
  'blob() twice': async ({ Response }) => {
    const response = new Response('a')
    await response.blob()
    return response.blob()
  },
  'a clone keeps a type that was removed removed': ({ Request, Response }) => {
    const response = new Response('a')
    response.headers.delete('content-type')
    const request = new Request('http://a/', { method: 'POST', body: 'a' })
    request.headers.delete('content-type')
    return [response.clone().headers.has('content-type'), request.clone().headers.has('content-type')]
  },
  'formData() of an urlencoded body': async ({ Response, URLSearchParams }) => {
    const all: unknown[] = [show(await new Response(new URLSearchParams('a=1&b=%20+&a=')).formData())]
    for (const body of ['', 'a', '=', '&&', 'a=%ff&%zz=1', 'a=b=c', '\ufeffa=1', '%EF%BB%BFa=1', new Uint8Array([97, 61, 0xff])])
      all.push(show(await new Response(body, { headers: { 'content-type': 'APPLICATION/x-www-form-urlencoded; charset=x' } }).formData()))
    return all
  },
  'formData() of nothing': async ({ Response }) =>
    show(await new Response(null, { headers: { 'content-type': 'application/x-www-form-urlencoded' } }).formData()),
  'formData() of no form': async ({ Response }) => new Response('a=1').formData(),
  'formData() without a type': async ({ Response }) => new Response(new Uint8Array(3)).formData(),
  'formData() of nothing at all': async ({ Response }) =>
    new Response(null, { headers: { 'content-type': 'multipart/form-data; boundary=abc' } }).formData(),
  'formData() twice': async ({ Response, FormData }) => {
    const response = new Response(new FormData())
    await response.formData().catch(() => {})
    return response.formData()
  },
  'formData() of a clone': async ({ Response, FormData }) => {
    const form = new FormData()
    form.append('a', '1')
    const response = new Response(form)
    const copy = response.clone()
    return [show(await response.formData()), show(await copy.formData())]
  },
  'formData() of a stream': async ({ Response, ReadableStream }) => {
    const text =
      '--BBBBBBBBBBBBBBBBBBBBBBBBBBBBB\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\ny\r\n--BBBBBBBBBBBBBBBBBBBBBBBBBBBBB--\r\n'
    const bytes = new TextEncoder().encode(text)
    let at = 0
    const stream = new ReadableStream({
      pull(controller: any) {
        if (at === bytes.length) controller.close()
        else controller.enqueue(bytes.slice(at, ++at))
      },
    })
    return show(
      await new Response(stream, { headers: { 'content-type': 'multipart/form-data; boundary=BBBBBBBBBBBBBBBBBBBBBBBBBBBBB' } }).formData(),
    )
  },
  'Response.error': async ({ Response }) => {
    const response = Response.error()
    const copy = response.clone()
    return [
      response.type,
      response.status,
      response.ok,
      response.statusText,
      response.body,
      await response.text(),
      copy.type,
      copy.status,
      [...response.headers],
    ]
  },
  'headers of Response.error': ({ Response }) => Response.error().headers.set('a', 'b'),
  'headers of Response.redirect': ({ Response }) => Response.redirect('http://a/').headers.append('a', 'b'),
}
