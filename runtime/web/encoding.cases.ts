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

/** One label of each, not always the name. */
const singleByte =
  `cp866 latin2 latin3 latin4 cyrillic arabic greek hebrew logical latin6 iso-8859-13 iso-8859-14 latin9 iso-8859-16 koi8 koi8-ru
macintosh tis-620 cp1250 cp1251 cp1252 cp1253 latin5 cp1255 cp1256 cp1257 cp1258 x-mac-cyrillic`.split(/\s/)

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
  'utf-16 of any bytes, strict and not, whole and in pieces': ({ TextDecoder }: Web) => {
    const inputs = [
      [],
      [0x61],
      [0x61, 0],
      [0, 0xd8],
      [0, 0xdc],
      [0, 0xd8, 0],
      [0x3d, 0xd8, 0, 0xde],
      [0xff, 0xfe, 0x61, 0],
      [0xfe, 0xff, 0, 0x61],
    ]
    const all = [
      ...inputs,
      [0, 0xd8, 0x61, 0],
      [0, 0xd8, 0, 0xd8, 0, 0xdc],
      [0, 0, 0x61, 0xd8],
      [0xd8, 0x3d, 0xde, 0, 0x41],
      [0xff, 0xfe, 0xff, 0xfe],
    ]
    return ['utf-16', 'UTF-16LE', 'utf-16be', 'unicodeFEFF', 'ucs-2'].map(label =>
      all.map(bytes =>
        [false, true].map(fatal => [
          attempt(() => new TextDecoder(label, { fatal }).decode(Uint8Array.from(bytes))),
          attempt(() => new TextDecoder(label, { fatal, ignoreBOM: true }).decode(Uint8Array.from(bytes))),
          attempt(() => {
            const decoder = new TextDecoder(label, { fatal })
            return bytes.map(byte => decoder.decode(Uint8Array.of(byte), { stream: true })).join('') + decoder.decode()
          }),
          new TextDecoder(label).encoding,
        ]),
      ),
    )
  },
  'single bytes of every encoding': ({ TextDecoder }: Web) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    return singleByte.map(label => [
      new TextDecoder(label).encoding,
      new TextDecoder(label).decode(bytes),
      attempt(() => new TextDecoder(label, { fatal: true }).decode(bytes)),
      new TextDecoder(label, { fatal: true }).decode(bytes.subarray(0, 128)),
    ])
  },
  'buffers that were transferred': ({ TextDecoder, TextEncoder }: Web) => {
    const [a, b, c] = [new Uint8Array(4), new Uint8Array(4), new Uint8Array(4)]
    for (const one of [a, b, c]) one.buffer.transfer()
    return [
      new TextDecoder().decode(a),
      new TextDecoder().decode(b.buffer),
      new TextDecoder('latin1').decode(b),
      new TextEncoder().encodeInto('x', c),
      new TextEncoder().encodeInto('', c),
      attempt(() => new TextEncoder().encodeInto('', new Uint16Array(0))),
      attempt(() => new TextDecoder().decode(null)),
      attempt(() => new TextDecoder().decode('x')),
    ]
  },
  'x-user-defined': ({ TextDecoder }: Web) => {
    // Node has it not.
    try {
      return [...new TextDecoder('x-user-defined').decode(Uint8Array.of(0x41, 0x80, 0xff))].map(one => one.codePointAt(0))
    } catch {
      return [0x41, 0xf780, 0xf7ff]
    }
  },
  'what no standard knows': ({ TextDecoder }: Web) =>
    ['utf-7', 'utf-32', 'cesu-8', '', 'replacement', 'iso-2022-kr', 'x-mac-greek'].map(label =>
      attempt(() => new TextDecoder(label).encoding),
    ),
}
