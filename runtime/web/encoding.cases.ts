import type { Scenarios, Web } from './testing.ts'

const texts = ['', 'plain', 'é', '\0a\0\0b\0', '\u{1f600}', 'x\ud800y', '\ufeffbom', '\ufffd', '한국어', 'long '.repeat(5_000)]
const wrong = [
  [0x80],
  [0xc0, 0x80],
  [0xc3],
  [0xe2, 0x82],
  [0xe2, 0x28, 0xa1],
  [0xed, 0xa0, 0x80],
  [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80],
  [0xed, 0x95, 0x9c],
  [0xf0, 0x9f, 0x98],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf8, 0x88],
  [0xff, 0xfe],
  [0x61, 0x00, 0xff, 0x00, 0x62],
  [0xef, 0xbb, 0xbf, 0x61],
  [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf],
]

function attempt(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return (error as Error).name
  }
}

export const encodingScenarios: Scenarios = {
  'texts there and back': ({ TextEncoder, TextDecoder }: Web) =>
    texts.map(text => {
      const bytes = new TextEncoder().encode(text)
      return [bytes.length, [...bytes.subarray(0, 40)], new TextDecoder().decode(bytes)]
    }),
  'wrong bytes, strict and not': ({ TextDecoder }: Web) =>
    wrong.map(bytes =>
      [false, true].map(fatal =>
        [false, true].map(ignoreBOM => attempt(() => new TextDecoder('utf-8', { fatal, ignoreBOM }).decode(Uint8Array.from(bytes)))),
      ),
    ),
  'a character in pieces': ({ TextEncoder, TextDecoder }: Web) => {
    const decoder = new TextDecoder()
    return (
      [...new TextEncoder().encode('\ufeffaé한\u{1f600}')].map(byte => decoder.decode(Uint8Array.of(byte), { stream: true })).join('|') +
      decoder.decode()
    )
  },
  'encodeInto with little room': ({ TextEncoder }: Web) =>
    [0, 1, 2, 3, 4, 5, 8].map(room => {
      const into = new Uint8Array(room)
      return [new TextEncoder().encodeInto('aé\u{1f600}b', into), [...into]]
    }),
  latin1: ({ TextDecoder }: Web) => new TextDecoder('latin1').decode(Uint8Array.from({ length: 256 }, (_, i) => i)),
  base64: ({ atob, btoa }: Web) => [
    btoa('\0\xff\x80abc'),
    atob('AP+AYWJj'),
    atob(' YQ = = '),
    attempt(() => atob('a')),
    attempt(() => atob('a*==')),
    attempt(() => btoa('€')),
  ],
  'random values': ({ crypto }: Web) => {
    const [a, b] = [crypto.getRandomValues(new Uint8Array(64)), crypto.getRandomValues(new Uint8Array(64))]
    return [
      a.length,
      String(a) !== String(b),
      a.some((byte: number) => byte > 127),
      /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(crypto.randomUUID()),
    ]
  },
  'labels are trimmed of the white space of the standard only': ({ TextDecoder }) =>
    [' utf-8\t', '\n\f\rUTF8 ', '\vutf-8', 'utf-8\xa0', '\u2028utf-8', 'utf-8\0'].map(label => {
      try {
        return new TextDecoder(label).encoding
      } catch (error: any) {
        return error.name
      }
    }),
}
