/** Bodies as peers send them, and as they should not: what becomes of each, whole and in pieces; and forms that go there and back. */
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import * as ownWeb from '../inject.ts'
import { MAX_HEAD } from './multipart.ts'
import { PartBytes } from './part-bytes.ts'
import { MAX_ENTRIES } from './reader.ts'

type Bytes = Uint8Array<ArrayBuffer>

const boundary = '----a-boundary-of-the-usual-length'
const type = `multipart/form-data; boundary=${boundary}`
const encoder = new TextEncoder()

/** `B` is the boundary with its hyphens, a line end is CR LF. */
const bytesOf = (text: string): Bytes =>
  encoder.encode(text.replaceAll('\n', '\r\n').replaceAll('\f', '\n').replaceAll('B', `--${boundary}`))

const show = (form: any): unknown[] =>
  [...form].map(([name, value]) => [name, typeof value === 'string' ? value : [value.name, value.type, value.size]])

const read = (web: any, bytes: Bytes, contentType = type): Promise<any> =>
  new web.Response(bytes, { headers: { 'content-type': contentType } }).formData()

/** In pieces of these sizes, over and over, which the stream's owner changes afterwards. */
function inPieces(bytes: Bytes, sizes: readonly number[], contentType = type): Promise<any> {
  let at = 0
  let index = 0
  let before: Bytes | undefined
  const stream = new ownWeb.ReadableStream<Bytes>(
    {
      pull(controller) {
        before?.fill(0x2d)
        if (at >= bytes.length) return controller.close()
        const size = sizes[index++ % sizes.length]
        before = bytes.slice(at, at + size)
        controller.enqueue(before)
        at += size
      },
    },
    { highWaterMark: 0 },
  )
  return new ownWeb.Response(stream, { headers: { 'content-type': contentType } }).formData()
}

const field = 'B\nContent-Disposition: form-data; name="a"\n\n1\n'
const part = (head: string, body = '1') => `B\n${head}\n\n${body}\nB--\n`
const disposition = (parameters: string) => part(`Content-Disposition: form-data; ${parameters}`)

/** A form, or what its error says. `f` is a line feed alone. */
const table: readonly (readonly [name: string, body: string, outcome: unknown[] | RegExp])[] = [
  ['a field', `${field}B--\n`, [['a', '1']]],
  ['no line end behind the last boundary', `${field}B--`, [['a', '1']]],
  ['line ends before the first boundary', `\n\n${field}B--\n\n`, [['a', '1']]],
  ['no parts', 'B--\n', []],
  ['an empty field', part('Content-Disposition: form-data; name="a"', ''), [['a', '']]],
  [
    'header names of any case, and others',
    part('X: y\ncontent-DISPOSITION:form-data;name="a"\nContent-Transfer-Encoding: 8bit'),
    [['a', '1']],
  ],
  ['a name without quotes', disposition('name=a'), [['a', '1']]],
  ['an empty name', disposition('name=""'), [['', '1']]],
  ['escapes of browsers', disposition('name="%22%0d%0A%41"'), [['"\r\n%41', '1']]],
  ['a backslash', disposition('name="a"; filename="C:\\\\x\\"'), [['a', ['C:\\\\x\\', 'text/plain', 1]]]],
  ['a semicolon in a name', disposition('name="a;filename=x"'), [['a;filename=x', '1']]],
  ['names of UTF-8', disposition('name="\u00e4\u20ac"; filename="\u{1f600}"'), [['\u00e4\u20ac', ['\u{1f600}', 'text/plain', 1]]]],
  ['a mark at the begin of a field', part('Content-Disposition: form-data; name="a"', '\ufeffx'), [['a', '\ufeffx']]],
  [
    'a type of a field is nothing',
    part('Content-Disposition: form-data; name="a"\nContent-Type: text/plain; charset=utf-16'),
    [['a', '1']],
  ],
  [
    'a file and its type',
    part('Content-Disposition: form-data; name="a"; filename="f"\nContent-Type: Text/X; a=C'),
    [['a', ['f', 'text/x; a=c', 1]]],
  ],
  ['a type that is none', part('Content-Disposition: form-data; name="a"; filename="f"\nContent-Type: \u00e4'), [['a', ['f', '', 1]]]],
  ['filename* is nothing', disposition(`name="a"; filename*=UTF-8''b`), [['a', '1']]],
  ['what looks like a boundary', part('Content-Disposition: form-data; name="a"', '--\n--\n-\n\r\r--'), [['a', '--\r\n--\r\n-\r\n\r\r--']]],
  ['a boundary within a line', part('Content-Disposition: form-data; name="a"', 'x B y'), [['a', `x --${boundary} y`]]],

  ['nothing', '', /cut off/],
  ['text before the first boundary', `preamble\n${field}B--\n`, /does not begin with its boundary/],
  ['a line feed before the first boundary', `\f${field}B--\n`, /does not begin with its boundary/],
  ['text behind the last boundary', `${field}B--\nx`, /behind its last boundary/],
  ['a form behind the form', `${field}B--\n${field}B--\n`, /behind its last boundary/],
  ['no last boundary', field, /cut off/],
  ['a last boundary without its end', `${field}B-`, /cut off/],
  ['cut off in a head', 'B\nContent-Disposition: form-data; name="a"', /cut off/],
  ['cut off in a value', 'B\nContent-Disposition: form-data; name="a"\n\n1', /cut off/],
  ['another boundary', `${field}B--\n`.replaceAll('B', '--other'), /does not begin with its boundary/],
  ['text behind a boundary', `${field}Bx\n\n`, /something else behind a boundary/],
  ['white space behind a boundary', `${field}B \nContent-Disposition: form-data; name="b"\n\n2\nB--\n`, /something else behind a boundary/],
  ['a boundary that goes on in a value', part('Content-Disposition: form-data; name="a"', '1\nBx'), /something else behind a boundary/],
  ['line feeds alone', `${field}B--\n`.replaceAll('\n', '\f'), /something else behind a boundary/],
  ['a line feed alone in a head', part('Content-Disposition: form-data; name="a"\fX: y'), /not of the form name: value/],
  ['a head that ends with a line feed', 'B\nContent-Disposition: form-data; name="a"\f\n1\nB--\n', /does not end with CR LF/],
  ['a NUL in a name, as browsers send it', part('Content-Disposition: form-data; name="a\0"'), [['a\0', '1']]],
  ['a carriage return in a name', part('Content-Disposition: form-data; name="a\rb"'), /not of the form name: value/],
  ['a folded line', part('Content-Disposition: form-data;\n name="a"'), /not of the form name: value/],
  ['white space before a colon', part('Content-Disposition : form-data; name="a"'), /not of the form name: value/],
  ['a line without a colon', part('Content-Disposition'), /not of the form name: value/],
  ['no head', 'B\n\n1\nB--\n', /no Content-Disposition/],
  ['no disposition', part('Content-Type: text/plain'), /no Content-Disposition/],
  [
    'two dispositions',
    part('Content-Disposition: form-data; name="a"\ncontent-disposition: form-data; name="b"'),
    /more than one content-disposition/,
  ],
  ['two types', part('Content-Disposition: form-data; name="a"\nContent-Type: a/b\nContent-Type: c/d'), /more than one Content-Type/],
  ['another disposition', part('Content-Disposition: attachment; name="a"'), /not form-data/],
  ['a disposition that begins alike', part('Content-Disposition: form-data-x; name="a"'), /not form-data/],
  ['no name', disposition('filename="a"'), /has no name/],
  ['nothing but the kind', part('Content-Disposition: form-data'), /has no name/],
  ['two names', disposition('name="a"; name="b"'), /more than one name/],
  ['two file names', disposition('name="a"; filename="b"; FILENAME="c"'), /more than one filename/],
  ['a name that does not end', disposition('name="a'), /not well formed/],
  ['a quote in a name', disposition('name="a\\"b"'), /not well formed/],
  ['text behind a parameter', disposition('name="a" b'), /not well formed/],
  ['a semicolon behind the last', disposition('name="a";'), /not well formed/],
  ['a head that is too long', part(`X: ${'x'.repeat(MAX_HEAD)}\nContent-Disposition: form-data; name="a"`), /head of a part is larger/],
  ['a head that does not end', `B\nX: ${'x'.repeat(MAX_HEAD)}`, /head of a part is larger/],
  ['too many parts', `${field.repeat(MAX_ENTRIES + 1)}B--\n`, /more than 1000 entries/],
]

for (const [name, body, outcome] of table) {
  test(`${name}`, async t => {
    const bytes = bytesOf(body)
    const ways = [
      () => read(ownWeb, bytes),
      () => inPieces(bytes, [4096]),
      ...(bytes.length > 20_000 ? [] : [() => inPieces(bytes, [1]), () => inPieces(bytes, [7, 1, 40])]),
    ]
    for (const way of ways) {
      if (outcome instanceof RegExp) await t.throwsAsync(way, { instanceOf: TypeError, message: outcome })
      else t.deepEqual(show(await way()), outcome)
    }
  })
}

test('as many parts as there may be', async t => {
  t.is([...(await read(ownWeb, bytesOf(`${field.repeat(MAX_ENTRIES)}B--\n`)))].length, MAX_ENTRIES)
  const urlencoded = 'application/x-www-form-urlencoded'
  t.is([...(await read(ownWeb, bytesOf('a&'.repeat(MAX_ENTRIES - 1) + 'a'), urlencoded))].length, MAX_ENTRIES)
  await t.throwsAsync(() => read(ownWeb, bytesOf('&'.repeat(1_000_000)), urlencoded), {
    instanceOf: TypeError,
    message: /more than 1000 entries/,
  })
})

for (const bad of [
  'multipart/form-data',
  'multipart/form-data; boundary=',
  'multipart/form-data; boundary=""',
  `multipart/form-data; boundary=${'x'.repeat(71)}`,
  'multipart/form-data; boundary="a "',
  'multipart/form-data; boundary="a\u00e4"',
  'multipart/mixed; boundary=a',
]) {
  test(`a type that no form has: ${bad}`, async t => {
    await t.throwsAsync(() => read(ownWeb, bytesOf('--a--\r\n'), bad), { instanceOf: TypeError })
  })
}

test('boundaries, short and long, in quotes and not', async t => {
  for (const given of ['x', 'x'.repeat(70), `"a b'()+_,-./:=?"`, '"x"']) {
    const text = given.replaceAll('"', '')
    t.deepEqual(show(await read(ownWeb, encoder.encode(`--${text}--`), `multipart/form-data; boundary=${given}`)), [])
  }
})

test('what is refused ends the stream that it came in', async t => {
  let reason: unknown
  const stream = new ownWeb.ReadableStream<Bytes>({
    pull: controller => controller.enqueue(bytesOf('no boundary')),
    cancel(why) {
      reason = why
    },
  })
  const error = await t.throwsAsync(() => new ownWeb.Response(stream, { headers: { 'content-type': type } }).formData())
  t.is(reason, error)
})

test('a large file stays where it came in; a small one is no reason to keep all of that', t => {
  const body = new Uint8Array(100_000)
  const kept = (from: number, to: number, isOwn: boolean) => {
    const bytes = new PartBytes()
    bytes.push(body.subarray(from, to), isOwn)
    return bytes.take()[0].buffer === body.buffer
  }
  t.deepEqual([kept(10, 90_000, true), kept(10, 90_000, false), kept(10, 5_000, true), kept(10, 20, true)], [true, false, false, false])
})

/** Text with all that means something here. */
const text = fc
  .array(
    fc.constantFrom('a', '"', '%', '22', '\r', '\n', '\r\n', '--', boundary, '\u00e4', '\u{1f600}', '\ud800', ';', '=', '\\', '\0', ' '),
  )
  .map(all => all.join(''))
const file = fc.tuple(
  text.filter(name => name !== ''),
  fc.constantFrom('', 'text/plain', 'a/b;c=d'),
  fc.array(fc.oneof(fc.uint8Array(), text)),
)
const entries = fc.array(fc.tuple(text, fc.oneof(text, file)), { maxLength: 6 })

const formOf = (web: any, all: readonly (readonly [string, unknown])[]): any => {
  const form = new web.FormData()
  for (const [name, value] of all) {
    if (typeof value === 'string') form.append(name, value)
    else {
      const [filename, type, parts] = value as [string, string, string[]]
      form.append(name, new web.File(parts, filename, { type }))
    }
  }
  return form
}
const lines = (text: string) => text.replace(/\r\n?|\n/g, '\r\n')
/** What a form is after it was sent. */
const sent = async (form: any): Promise<unknown[]> =>
  Promise.all(
    [...form].map(async ([name, value]) => [
      lines(name),
      typeof value === 'string' ? lines(value) : [value.name, value.type || 'application/octet-stream', [...(await value.bytes())]],
    ]),
  )
const whole = async (form: any): Promise<unknown[]> =>
  Promise.all(
    [...form].map(async ([name, value]) => [
      name,
      typeof value === 'string' ? value : [value.name, value.type, [...(await value.bytes())]],
    ]),
  )

/** Escapes are not themselves escaped: what looks like one comes back as what it stands for. */
const hasEscapes = (all: readonly (readonly [string, unknown])[]) =>
  all.some(([name, value]) => /%(22|0[ad])/i.test(name + (typeof value === 'string' ? '' : (value as string[])[0])))

test('forms go there and back, from here to here, to Node and from Node', async t => {
  await fc.assert(
    fc.asyncProperty(entries, fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }), async (all, sizes) => {
      fc.pre(!hasEscapes(all))
      const form = formOf(ownWeb, all)
      const expected = await sent(form)
      const response = new ownWeb.Response(form)
      const contentType = response.headers.get('content-type')!
      const bytes = await response.bytes()
      t.deepEqual(await whole(await read(ownWeb, bytes, contentType)), expected)
      t.deepEqual(await whole(await inPieces(bytes, sizes, contentType)), expected)
      t.deepEqual(await whole(await read(globalThis, bytes, contentType)), expected)
      const theirs = new Response(formOf(globalThis, all))
      t.deepEqual(
        await whole(await read(ownWeb, new Uint8Array(await theirs.arrayBuffer()), theirs.headers.get('content-type')!)),
        expected,
      )
    }),
    runs({ few: 150 }),
  )
})

test('whatever comes is a form or a TypeError, the same whole and in pieces', async t => {
  const piece = fc.constantFrom(
    'B',
    'B\n',
    'B--',
    'B--\n',
    '\n',
    '\n\n',
    'Content-Disposition: form-data; name="a"',
    '; filename="b"',
    'Content-Type: a/b\n',
    'x',
    '-',
    '\r',
    '\f',
    ':',
    ' ',
    '"',
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(piece, fc.constant(field)), { maxLength: 15 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      async (pieces, sizes) => {
        const bytes = bytesOf(pieces.join(''))
        const outcome = async (form: Promise<any>): Promise<unknown> => {
          try {
            return await whole(await form)
          } catch (error) {
            return t.true(error instanceof TypeError, String(error)) && (error as Error).message
          }
        }
        t.deepEqual(await outcome(read(ownWeb, bytes)), await outcome(inPieces(bytes, sizes)))
      },
    ),
    runs({ few: 500 }),
  )
})
