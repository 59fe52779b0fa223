import type { Scenarios } from '../testing.ts'

const bytesOf = async (blob: any): Promise<number[]> => [...new Uint8Array(await blob.arrayBuffer())]

export const blobScenarios: Scenarios = {
  'a blob of nothing': async ({ Blob }) => {
    const blob = new Blob()
    return [blob.size, blob.type, await blob.text()]
  },
  'a blob of all that it may be made of': async ({ Blob }) => {
    const buffer = Uint8Array.of(1, 2, 3, 4, 5, 6).buffer
    const blob = new Blob(
      [
        '\u00e4',
        buffer,
        new Uint16Array(buffer, 2, 1),
        new DataView(buffer, 5),
        new Blob(['in', 'ner']),
        7,
        null,
        undefined,
        { toString: () => 'own' },
        ['a', 'b'],
      ],
      { type: 'Text/X; A=B' },
    )
    return [blob.size, blob.type, await bytesOf(blob)]
  },
  'bytes are copied when a blob is made, and when it is read': async ({ Blob }) => {
    const bytes = Uint8Array.of(1, 2, 3)
    const blob = new Blob([bytes, bytes.buffer])
    bytes[0] = 9
    new Uint8Array(await blob.arrayBuffer())[1] = 9
    const part = blob.slice(0, 2)
    new Uint8Array(await part.arrayBuffer())[0] = 9
    return [await bytesOf(blob), await bytesOf(part)]
  },
  'slices, by where they begin and end': async ({ Blob }) => {
    const blob = new Blob(['ab', new Blob(['cd']), 'ef'], { type: 'a/b' })
    const all = []
    for (const args of [
      [],
      [1],
      [1, 3],
      [-3],
      [-3, -1],
      [3, 1],
      [0, 99],
      [-99, 2],
      [1.5, 3.5],
      [NaN, 2],
      ['1', '4'],
      [2, null],
      [2, undefined],
      [Infinity],
      [-Infinity, Infinity],
      [2 ** 33],
    ])
      all.push(await blob.slice(...args).text())
    return all
  },
  'the type of a slice': ({ Blob }) => {
    const blob = new Blob(['ab'], { type: 'a/b' })
    return [
      blob.slice().type,
      blob.slice(0, 1, 'X/Y').type,
      blob.slice(0, 1, 'x\u00e4').type,
      blob.slice(0, 1, undefined).type,
      blob.slice(0, 1, null).type,
    ]
  },
  types: ({ Blob }) => ['A/B', 'a\u007f', 'a\nb', ' a ', '\u00c4', 7, null, undefined, {}].map(type => new Blob([], { type }).type),
  'what is no sequence': ({ Blob }) =>
    [null, 1, 'text', true, {}, new Date(0)].map(parts => {
      try {
        return new Blob(parts).size
      } catch (error) {
        return (error as Error).name
      }
    }),
  'what can be iterated': async ({ Blob }) => [await new Blob(new Set(['a', 'b'])).text(), await new Blob(new Uint8Array(3)).text()],
  'what are no options': ({ Blob }) =>
    [1, 'a', true, null, undefined, () => 1, {}, new Date(0)].map(options => {
      try {
        return new Blob([], options).size
      } catch (error) {
        return (error as Error).name
      }
    }),
  'line ends': async ({ Blob }) => [
    await new Blob(['a\r\nb\rc\nd\r', '\ne'], { endings: 'native' }).text(),
    await new Blob(['a\r\nb'], { endings: 'transparent' }).text(),
  ],
  'line ends of another kind': ({ Blob }) => new Blob([], { endings: 'other' }),
  'halves of pairs': async ({ Blob }) => bytesOf(new Blob(['a\ud800b', '\udc00'])),
  'text of bytes that are none': async ({ Blob }) => [
    await new Blob([Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0xff)]).text(),
    await new Blob([Uint8Array.of(0xe2, 0x82), Uint8Array.of(0xac)]).text(),
  ],
  'a stream of a blob': async ({ Blob }) => {
    const stream = new Blob([new Uint8Array(100_000).fill(1), 'ab', new Uint8Array(70_000).fill(2)]).stream()
    let [bytes, sum] = [0, 0]
    for await (const chunk of stream) {
      bytes += chunk.length
      for (const byte of chunk) sum += byte
    }
    return [bytes, sum]
  },
  'a stream of nothing': async ({ Blob }) => (await new Blob().stream().getReader().read()).done,
  'a stream read into an own buffer': async ({ Blob }) => {
    const reader = new Blob(['abc']).stream().getReader({ mode: 'byob' })
    const all: unknown[] = []
    for (let isDone = false; !isDone; ) {
      const { done, value } = await reader.read(new Uint8Array(2))
      all.push([done, ...value])
      isDone = done
    }
    return all
  },
  bytes: async ({ Blob }) => [...(await new Blob(['ab']).bytes())],
  'methods of something else': async ({ Blob }) => {
    const { text, slice } = Blob.prototype
    return [
      await text.call({}).catch((error: Error) => error.name),
      (() => {
        try {
          slice.call({})
        } catch (error) {
          return (error as Error).name
        }
      })(),
    ]
  },
  'a file': async ({ File, Blob }) => {
    const file = new File(['ab', new Blob(['c'])], 'dir/na\ud800me', { type: 'Text/Plain', lastModified: 12 })
    const slice = file.slice(1, 2)
    return [
      file.name,
      file.type,
      file.size,
      file.lastModified,
      await file.text(),
      file instanceof Blob,
      slice instanceof File,
      await slice.text(),
    ]
  },
  'the time of a file': ({ File }) => {
    const now = new File([], 'a').lastModified
    return [
      Math.abs(now - Date.now()) < 60_000,
      ...[-1, NaN, '7', null, 1e12, 2 ** 53, new Date(5)].map(lastModified => new File([], 'a', { lastModified }).lastModified),
    ]
  },
  'names of files': ({ File }) => [null, undefined, 7, '', 'a/b:c'].map(name => new File([], name).name),
  'a file without a name': ({ File }) => new File([]),
  'a file that is called': ({ File }) => File([], 'a'),
  'structuredClone of blobs and files': async ({ Blob, File, structuredClone }) => {
    const blob = new Blob(['ab', 'c'], { type: 'x/y' })
    const file = new File([blob], 'a.txt', { type: 'text/a', lastModified: 5 })
    const copy = structuredClone({ blob, file, again: [blob, file] })
    return [
      [copy.blob.type, await copy.blob.text(), copy.blob instanceof Blob, copy.blob === blob, copy.again[0] === copy.blob],
      [
        copy.file.name,
        copy.file.type,
        copy.file.lastModified,
        await copy.file.text(),
        copy.file instanceof File,
        copy.again[1] === copy.file,
      ],
    ]
  },
}
