import type { Scenarios, Web } from './testing.ts'

function attempt(run: () => unknown): unknown {
  try {
    return run()
  } catch (error: any) {
    return `${error.name} ${typeof error.code === 'number' ? error.code : ''}`
  }
}

export const cloneScenarios: Scenarios = {
  'clone: values, boxes, dates, regular expressions': ({ structuredClone }: Web) => {
    const of = (value: any) => [typeof value, Object.prototype.toString.call(value), String(value)]
    return [undefined, null, 1, -0, 'x', 10n, true, Object(1), Object('x'), Object(true), Object(2n), /a[b]/giu].map(value =>
      of(structuredClone(value)),
    )
  },
  'clone: maps, sets, cycles, what is shared': ({ structuredClone }: Web) => {
    const shared = { a: 1 }
    const holed: any[] = [shared]
    holed[2] = 3
    const given: any = { map: new Map([[shared, shared]]), set: new Set([shared, 'x']), list: holed, __proto__: { hidden: 1 } }
    given.self = given
    given.map.set('all', given)
    const copy = structuredClone(given)
    const [[key, value]] = copy.map
    return [
      key === value,
      key === copy.list[0],
      copy.set.has(key),
      key !== shared,
      copy.self === copy,
      copy.map.get('all') === copy,
      1 in copy.list,
      copy.list.length,
      'hidden' in copy,
      Object.getPrototypeOf(copy) === Object.prototype,
    ]
  },
  'clone: a date': ({ structuredClone }: Web) => {
    const copy = structuredClone(new Date(7))
    return [copy instanceof Date, copy.getTime(), structuredClone(new Date(NaN)).getTime()]
  },
  'clone: errors': ({ structuredClone, DOMException }: Web) => {
    class Own extends RangeError {
      override name = 'Own'
    }
    const wild: any = new TypeError('wild')
    wild.name = 'SyntaxError'
    wild.extra = 1
    const bare = new Error('gone')
    delete (bare as any).message
    return [new Error('e', { cause: { a: [1] } }), new RangeError('r'), new Own('own'), wild, bare, new DOMException('m', 'DataError')].map(
      error => {
        const copy = structuredClone(error)
        return [
          copy.constructor.name,
          copy.name,
          copy.message,
          Object.hasOwn(copy, 'message'),
          copy.cause,
          'extra' in copy,
          copy.code,
          copy !== error,
          Object.prototype.toString.call(copy),
        ]
      },
    )
  },
  'clone: buffers and views': ({ structuredClone }: Web) => {
    const buffer = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7).buffer
    const given = [buffer, new Uint16Array(buffer, 2, 2), new DataView(buffer, 1, 3), new Float64Array(1), new Uint8ClampedArray([300])]
    const copy: any[] = structuredClone(given)
    const resizable = structuredClone(new (ArrayBuffer as any)(2, { maxByteLength: 5 }))
    return [
      copy[1].buffer === copy[0],
      copy[2].buffer === copy[0],
      copy[0] !== buffer,
      [...copy[1]],
      copy[2].byteOffset,
      copy[2].byteLength,
      copy[2].getUint8(0),
      copy[3].constructor.name,
      copy[4][0],
      [resizable.byteLength, resizable.resizable, resizable.maxByteLength],
    ]
  },
  'clone: what cannot be cloned': ({ structuredClone }: Web) =>
    [
      () => structuredClone(() => {}),
      () => structuredClone(Symbol('s')),
      () => structuredClone(Object(Symbol('s'))),
      () => structuredClone({ a: [new WeakMap()] }),
      () => structuredClone(Promise.resolve()),
      () => structuredClone(new WeakRef({})),
      () => structuredClone((function* () {})()),
      () => structuredClone([].values()),
      () => structuredClone(),
      () => structuredClone(1, 2),
      () => structuredClone(1, { transfer: 3 }),
      () =>
        structuredClone({
          get bad() {
            throw new RangeError('of the program')
          },
        }),
    ].map(attempt),
  'clone: what is transferred is moved, after everything was cloned': ({ structuredClone }: Web) => {
    const buffer = Uint8Array.of(1, 2, 3, 4).buffer
    const view = new Uint8Array(buffer, 1, 2)
    const copy = structuredClone({ view, map: new Map([[buffer, 'key']]), again: view, list: [buffer] }, { transfer: [buffer] })
    const [key] = copy.map.keys()
    const other = new ArrayBuffer(3)
    const unused = new ArrayBuffer(5)
    structuredClone(1, { transfer: [unused] })
    const failed = attempt(() =>
      structuredClone(
        {
          get bad() {
            throw new RangeError('of the program')
          },
        },
        { transfer: [other] },
      ),
    )
    return [
      buffer.byteLength,
      view.length,
      [...copy.view],
      copy.view === copy.again,
      copy.view.buffer === copy.list[0],
      key === copy.list[0],
      Object.keys(copy),
      failed,
      other.byteLength,
      unused.byteLength,
      attempt(() => structuredClone(buffer)),
      attempt(() => structuredClone(1, { transfer: [buffer] })),
      attempt(() => structuredClone(1, { transfer: [other, other] })),
      attempt(() => structuredClone(1, { transfer: [{}] })),
      other.byteLength,
    ]
  },
  'clone: a getter that takes others away, and a name of old': ({ structuredClone }: Web) => {
    const given: any = {
      get a() {
        delete given.b
        return 1
      },
      b: 2,
      c: 3,
    }
    const proto = JSON.parse('{"__proto__": {"x": 1}}')
    const copy = structuredClone(proto)
    return [Object.entries(structuredClone(given)), Object.hasOwn(copy, '__proto__'), (copy as any).x]
  },
  'clone: a Blob': async ({ structuredClone, Blob }: Web) => {
    const blob = new Blob(['text'], { type: 'text/x' })
    const { copy, again } = structuredClone({ copy: blob, again: blob })
    return [copy instanceof Blob, copy !== blob, copy === again, copy.type, await copy.text()]
  },
  'clone: views that have lost their bytes': ({ structuredClone }: Web) =>
    [Uint8Array, Uint32Array, DataView].map(Class => {
      const buffer = new (ArrayBuffer as any)(16, { maxByteLength: 32 })
      const view = new (Class as any)(buffer, 8, 2)
      const before = structuredClone(view).byteOffset
      buffer.resize(4)
      return [before, attempt(() => structuredClone(view)), attempt(() => structuredClone(view, { transfer: [buffer] })), buffer.byteLength]
    }),
}
