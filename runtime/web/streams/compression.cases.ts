import type { Scenarios } from '../testing.ts'

const formats = ['gzip', 'deflate', 'deflate-raw']

async function through(stream: any, chunks: readonly unknown[]): Promise<Uint8Array> {
  const writer = stream.writable.getWriter()
  const writing = (async () => {
    for (const chunk of chunks) await writer.write(chunk)
    await writer.close()
  })()
  writing.catch(() => {})
  const all: number[] = []
  const reader = stream.readable.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    for (const byte of value) all.push(byte)
  }
  await writing
  return Uint8Array.from(all)
}

const fails = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'none',
    (error: Error) => error.name ?? error,
  )
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
/** Text that repeats, and does not. */
const sample = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  for (let i = 0, x = 1; i < length; i++) {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff
    bytes[i] = i % 300 < 200 ? 97 + ((i * i) % 7) : x >> 16
  }
  return bytes
}
const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])

/** Empty, in each format. */
const empty: Readonly<Record<string, number[]>> = {
  gzip: [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  deflate: [0x78, 0x9c, 3, 0, 0, 0, 0, 1],
  'deflate-raw': [3, 0],
}

export const compressionScenarios: Scenarios = {
  'there and back': async ({ CompressionStream, DecompressionStream }) => {
    const all: unknown[] = []
    for (const format of formats) {
      for (const chunks of [[], [new Uint8Array(0)], [Uint8Array.of(1)], [sample(100_000)], [sample(70_000), sample(3), sample(100_000)]]) {
        const bytes = await through(new CompressionStream(format), chunks)
        const back = await through(new DecompressionStream(format), [bytes])
        const whole = Uint8Array.from(chunks.flatMap(chunk => [...chunk]))
        all.push([equal(back, whole), bytes.length < whole.length / 2 + 30])
      }
    }
    return all
  },
  'byte by byte': async ({ CompressionStream, DecompressionStream }) => {
    const all: unknown[] = []
    for (const format of formats) {
      const bytes = await through(
        new CompressionStream(format),
        Array.from(sample(500), byte => Uint8Array.of(byte)),
      )
      const back = await through(
        new DecompressionStream(format),
        Array.from(bytes, byte => Uint8Array.of(byte)),
      )
      all.push(equal(back, sample(500)))
    }
    return all
  },
  'all kinds of chunks': async ({ CompressionStream, DecompressionStream }) => {
    const buffer = Uint8Array.of(104, 105, 106, 107).buffer
    const bytes = await through(new CompressionStream('deflate'), [buffer, new DataView(buffer, 1, 2), new Uint16Array(buffer, 2, 1)])
    return text(await through(new DecompressionStream('deflate'), [bytes.buffer]))
  },
  'what is no chunk': async ({ CompressionStream, DecompressionStream }) => {
    const all: unknown[] = []
    for (const Class of [CompressionStream, DecompressionStream]) {
      for (const chunk of [undefined, null, 3.14, {}, [65]]) {
        const stream = new Class('gzip')
        const reader = stream.readable.getReader()
        const writer = stream.writable.getWriter()
        const [writing, reading] = [writer.write(chunk), reader.read()]
        all.push([await fails(writing), await fails(reading)])
      }
    }
    return all
  },
  'formats that do not exist': ({ CompressionStream, DecompressionStream }) =>
    [CompressionStream, DecompressionStream].flatMap(Class =>
      ['GZIP', '', 'a', undefined, null].map(format => {
        try {
          return new Class(format)
        } catch (error) {
          return (error as Error).name
        }
      }),
    ),
  'no format': ({ CompressionStream }) => new CompressionStream(),
  'what they are': ({ CompressionStream, DecompressionStream, ReadableStream, WritableStream }) =>
    [new CompressionStream('gzip'), new DecompressionStream('gzip')].map(({ readable, writable }) => [
      readable instanceof ReadableStream,
      writable instanceof WritableStream,
    ]),
  'empty data': async ({ DecompressionStream }) => {
    const all: unknown[] = []
    for (const format of formats) all.push((await through(new DecompressionStream(format), [Uint8Array.from(empty[format])])).length)
    return all
  },
  'what is cut off, at each byte': async ({ DecompressionStream }) => {
    const all: unknown[] = []
    for (const format of formats)
      for (let length = 0; length < empty[format].length; length++)
        all.push(await fails(through(new DecompressionStream(format), [Uint8Array.from(empty[format].slice(0, length))])))
    return all
  },
  'something behind the end': async ({ DecompressionStream }) => {
    const all: unknown[] = []
    for (const format of formats) {
      for (const behind of [[0], [0x1f], empty[format]]) {
        all.push(await fails(through(new DecompressionStream(format), [Uint8Array.from([...empty[format], ...behind])])))
        all.push(await fails(through(new DecompressionStream(format), [Uint8Array.from(empty[format]), Uint8Array.from(behind)])))
      }
      all.push(await fails(through(new DecompressionStream(format), [Uint8Array.from(empty[format]), new Uint8Array(0)])))
    }
    return all
  },
  'each byte wrong': async ({ CompressionStream, DecompressionStream }) => {
    const all: unknown[] = []
    for (const format of ['deflate', 'gzip']) {
      const good = await through(new CompressionStream(format), [new TextEncoder().encode('hello hello hello hello\n')])
      const head = format === 'gzip' ? 4 : 2
      for (let at = 0; at < head; at++) {
        const bad = good.slice()
        bad[at] ^= at === 3 ? 0x80 : 0x40
        all.push(await fails(through(new DecompressionStream(format), [bad])))
      }
      for (let at = good.length - (format === 'gzip' ? 8 : 4); at < good.length; at++) {
        const bad = good.slice()
        bad[at] ^= 1
        all.push(await fails(through(new DecompressionStream(format), [bad])))
      }
    }
    return all
  },
  'a header of gzip with all that it may have': async ({ DecompressionStream }) => {
    const header = [0x1f, 0x8b, 8, 4 + 8 + 16, 1, 2, 3, 4, 2, 3, 3, 0, 9, 9, 9, 97, 98, 0, 99, 0]
    return text(await through(new DecompressionStream('gzip'), [Uint8Array.from([...header, ...empty.gzip.slice(10)])]))
  },
  'a writer that gives up': async ({ CompressionStream }) => {
    const stream = new CompressionStream('gzip')
    const reader = stream.readable.getReader()
    await stream.writable.abort('enough')
    return fails(reader.read())
  },
  'in pipes': async ({ CompressionStream, DecompressionStream, Blob, Response }) => {
    const packed = new Blob([sample(200_000)]).stream().pipeThrough(new CompressionStream('gzip'))
    const back = await new Response(packed.pipeThrough(new DecompressionStream('gzip'))).bytes()
    return equal(back, sample(200_000))
  },
  'a body that is compressed': async ({ CompressionStream, Response, DecompressionStream }) => {
    const response = new Response('a text that is long enough '.repeat(100))
    const packed = new Response(response.body.pipeThrough(new CompressionStream('deflate')), response)
    const bytes = await packed.bytes()
    return [
      packed.headers.get('content-type'),
      bytes.length < 200,
      (await new Response(new Response(bytes).body.pipeThrough(new DecompressionStream('deflate'))).text()).length,
    ]
  },
}
