/**
 * What programs do with WebAssembly, for V8 and for the guest: what a case gives, or the name of the error that it throws, must be the same.
 */

type Any = any

interface Given {
  readonly api: Any
  readonly module: Any
  /** What `log` was called with. */
  readonly logged: unknown[]
  readonly imports: Any
  readonly exports: Any
}

function given(api: Any, module: Any): Given {
  const logged: unknown[] = []
  const imports = {
    env: {
      log: (n: unknown) => void logged.push(n),
      pair: (a: number, b: bigint): unknown => [a + 1, Number(b) / 2],
      mix: (...args: unknown[]): unknown => {
        logged.push(...args.map(String))
        return 9007199254740993n
      },
      back: (n: number): unknown => n + 1,
      constant: 40,
      changing: new api.Global({ value: 'i64', mutable: true }, 5n),
      table: new api.Table({ element: 'anyfunc', initial: 3 }),
    },
    'env */ injected': { 'a */ b': () => 123 },
  }
  return { api, module, logged, imports, exports: new api.Instance(module, imports).exports }
}

const bytes = (exports: Any, from: number, to: number) => [...new Uint8Array(exports.memory.buffer).subarray(from, to)]
/** Errors by their names. */
const caught = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return (error as Error).name
  }
}
const edges = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 32, 1.9, -1.9, Number.NaN, Infinity, '12', null, undefined, true, {}]

const cases: Record<string, (g: Given) => unknown> = {
  'exports: names, kinds, order': ({ api, module, exports }) => [
    Object.keys(exports),
    api.Module.exports(module),
    Object.isFrozen(exports),
  ],
  'imports: names and kinds': ({ api, module }) => api.Module.imports(module),
  'data, start function, initial values': ({ exports }) => [
    bytes(exports, 0, 16),
    exports.started(),
    exports.level.value,
    exports.seven.value,
    exports.copy.value,
  ],
  'the same function is the same object; names and lengths': ({ exports }) => [
    exports.add === exports['add again'],
    exports.own.get(1) === exports.add,
    exports.add.name,
    exports.add.length,
    exports.mixed.length,
    [exports.memory.buffer, exports.memory.buffer].every((one, _i, [first]) => one === first),
  ],
  'arguments become i32': ({ exports }) => edges.map(edge => caught(() => exports.add(edge))),
  'arguments become f32 and f64': ({ exports }) => edges.map(edge => String(caught(() => exports.float(edge)))),
  'arguments become i64': ({ exports }) =>
    [0n, -1n, 2n ** 63n, 2n ** 64n + 3n, 5, '7', true, undefined].map(edge => String(caught(() => exports.long(edge)))),
  'too few and too many arguments': ({ exports }) => [exports.add(), exports.add(1, 2, 3), caught(() => exports.long())],
  'an argument whose conversion calls WebAssembly': ({ exports }) =>
    exports.divide({ valueOf: () => exports.add(99) }, { valueOf: () => exports.add(6) }),
  'a conversion that throws': ({ exports }) =>
    caught(() =>
      exports.add({
        valueOf: () => {
          throw new EvalError('x')
        },
      }),
    ),
  'symbols and BigInts are no i32': ({ exports }) => [caught(() => exports.add(Symbol())), caught(() => exports.add(1n))],
  'several results, from an import too': ({ exports }) => exports.multi(3),
  'values of all types into an import': ({ exports, logged }) => [String(exports.mixed(-1, -2n, 1.5, 0.1)), logged],
  'imports are called in order': ({ exports, logged }) => [exports.logs(5), logged],
  'an import that gives what is no iterable, or too much': ({ api, module, imports }) =>
    [5, [1], [1, 2, 3], undefined, 'ab'].map(value => {
      imports.env.pair = () => value
      return caught(() => new api.Instance(module, imports).exports.multi(1))
    }),
  'an import that throws ends the call; the module goes on': ({ api, module, imports, logged }) => {
    imports.env.log = (n: number) => {
      logged.push(n)
      if (n === 6) throw new EvalError('six')
    }
    const { exports } = new api.Instance(module, imports)
    return [caught(() => exports.logs(5)), logged, exports.add(1), caught(() => exports.logs(7)), logged]
  },
  'imports call exports, deep': ({ api, module, imports }) => {
    let exports: Any
    imports.env.back = (n: number): number => (n === 0 ? 0 : exports.backs(n - 1))
    ;({ exports } = new api.Instance(module, imports))
    return exports.backs(50)
  },
  'a trap in an inner call goes through the import': ({ api, module, imports }) => {
    let exports: Any
    imports.env.back = (n: number): number => {
      if (n === 1) return exports.unreachable()
      if (n === 2) return caught(() => exports.unreachable()) === 'RuntimeError' ? 5 : 6
      return n
    }
    ;({ exports } = new api.Instance(module, imports))
    return [caught(() => exports.backs(1)), exports.backs(2), exports.backs(3)]
  },
  'an exported import is called': ({ exports, logged }) => [exports.log(11), logged],
  'an odd name': ({ exports }) => exports.odd(),
  traps: ({ exports }) => [
    caught(() => exports.unreachable()),
    caught(() => exports.divide(1, 0)),
    caught(() => exports.divide(-(2 ** 31), -1)),
    exports.divide(-7, 2),
    caught(() => exports.truncate(Number.NaN)),
    caught(() => exports.truncate(2 ** 31)),
    exports.truncate(-(2 ** 31) - 0.5),
  ],
  'indirect calls: another type, null, outside': ({ exports }) => [
    exports.indirect(41, 1),
    caught(() => exports.indirect(41, 2)),
    exports.indirect(41, 3),
    caught(() => exports.indirect(41, 0)),
    caught(() => exports.indirect(41, 4)),
    caught(() => exports.indirect(41, -1)),
    exports.theirs(21, 1),
    caught(() => exports.theirs(21, 2)),
  ],
  'memory: the last bytes, and beyond': ({ exports }) =>
    [0, 65532, 65533, 65535, 65536, -1, -4, 2 ** 31 - 1, -(2 ** 31), 0x10000000].map(at => [
      caught(() => exports.load(at)),
      caught(() => exports['load byte'](at)),
      caught(() => exports['load far'](at)),
      caught(() => exports.store(at, 0)),
      caught(() => exports['store long'](at, 1n)),
    ]),
  'memory is shared with JavaScript': ({ exports }) => {
    const view = new DataView(exports.memory.buffer)
    view.setInt32(100, -5, true)
    exports.store(104, 0x01020304)
    return [exports.load(100), bytes(exports, 104, 108), exports.memory.buffer.byteLength]
  },
  'memory grows: content stays, the old buffer is detached, a new one is there': ({ exports }) => {
    const before = exports.memory.buffer
    const view = new Uint8Array(before)
    exports.store(65532, 12345)
    const old = exports.grow(2)
    return [
      old,
      before.byteLength,
      view.length,
      exports.memory.buffer === before,
      exports.memory.buffer.byteLength,
      exports.load(65532),
      exports.load(65536),
      exports.size(),
      exports.grow(0),
      exports.grow(-1),
      exports.grow(17),
      exports.grow(18),
      exports.size(),
    ]
  },
  'memory grows by JavaScript': ({ exports }) => {
    const before = exports.memory.buffer
    return [
      exports.memory.grow(1),
      before.byteLength,
      exports.size(),
      caught(() => exports.memory.grow(100)),
      caught(() => exports.memory.grow(-1)),
      exports.memory.grow(0),
    ]
  },
  'memory that grew is seen in an import': ({ api, module, imports }) => {
    let exports: Any
    imports.env.back = () => exports.memory.buffer.byteLength
    ;({ exports } = new api.Instance(module, imports))
    const before = exports.memory.buffer
    return [exports['grow and back'](3), before.byteLength]
  },
  'bulk memory': ({ exports }) => [
    exports.fill(20, 0xabc, 4),
    exports.move(22, 8, 5),
    exports.init(40, 2, 5),
    bytes(exports, 18, 48),
    exports.move(23, 22, 4),
    bytes(exports, 20, 30),
    caught(() => exports.fill(65530, 1, 7)),
    caught(() => exports.fill(-1, 1, 2)),
    caught(() => exports.move(0, 65536, 1)),
    exports.move(0, 65536, 0),
    caught(() => exports.init(0, 9, 2)),
    exports.drop(),
    caught(() => exports.init(0, 0, 1)),
    exports.init(0, 0, 0),
  ],
  tables: ({ exports }) => [
    exports['table size'](),
    exports.own.length,
    exports.own.get(0),
    exports.own.get(3) !== null,
    exports['table init'](0, 0, 2),
    exports.indirect(9, 0),
    caught(() => exports.indirect(9, 1)),
    exports['table set'](1),
    exports.indirect(9, 1),
    exports['table grow'](3),
    exports.own.length,
    exports.own.get(6) === exports.add,
    exports['table grow'](2),
    exports['table copy'](4, 0, 2),
    exports.indirect(9, 5),
    caught(() => exports['table copy'](6, 0, 2)),
    caught(() => exports['table init'](0, 1, 2)),
    caught(() => exports['table set'](7)),
    caught(() => exports.own.get(7)),
    caught(() => exports.own.set(7, null)),
  ],
  'tables by JavaScript': ({ api, exports, imports }) => {
    const { own } = exports
    own.set(0, exports.add)
    const table = new api.Table({ element: 'anyfunc', initial: 1, maximum: 3 }, exports.add)
    imports.env.table.set(2, exports.add)
    return [
      exports.indirect(1, 0),
      table.get(0)(5),
      table.grow(2),
      table.get(2),
      caught(() => table.grow(1)),
      table.length,
      caught(() => table.set(0, () => 1)),
      caught(() => table.set(0, 5)),
      table.set(0),
      table.get(0),
      caught(() => table.get(9)),
      exports.theirs(3, 2),
      caught(() => new api.Table({ element: 'anyfunc', initial: 5, maximum: 4 })),
      caught(() => new api.Table({ element: 'x', initial: 5 })),
    ]
  },
  globals: ({ api, exports, imports }) => {
    exports.level.value = 3.25
    exports.change(77n)
    const fixed = new api.Global({ value: 'f32' }, 1.1)
    return [
      exports.level.value,
      String(imports.env.changing.value),
      exports.changing === imports.env.changing,
      String(exports.long(1n)),
      fixed.value,
      fixed.valueOf(),
      caught(() => {
        fixed.value = 2
      }),
      caught(() => {
        exports.seven.value = 2
      }),
      caught(() => {
        imports.env.changing.value = 2
      }),
      caught(() => new api.Global({ value: 'x' })),
      new api.Global({ value: 'i32' }).value,
      String(new api.Global({ value: 'i64' }).value),
    ]
  },
  'deep recursion is a RangeError, again and again, and the module goes on': ({ exports }) => [
    exports.deep(1000),
    caught(() => exports.deep(100_000_000)),
    exports.deep(1000),
    caught(() => exports.deep(100_000_000)),
    exports.add(1),
  ],
  'deep recursion through imports is an error, and the module goes on': ({ api, module, imports }) => {
    let exports: Any
    imports.env.back = (n: number): number => exports.backs(n)
    ;({ exports } = new api.Instance(module, imports))
    return [caught(() => exports.backs(1)) === undefined, exports.deep(1000), exports.add(1)]
  },
  'control flow': ({ exports }) => [0, 1, 2, 3, -1].map(n => exports.switch(n)),
  'instances are apart': ({ api, module, imports, exports }) => {
    const other = new api.Instance(module, imports).exports
    exports.store(0, 5)
    exports.level.value = 9
    return [other.load(0), other.level.value, other.add === exports.add, other.memory === exports.memory]
  },
  'an instance that takes what another exports': ({ api, module, imports, exports }) => {
    const both = { ...imports, env: { ...imports.env, back: exports.add, table: exports.own } }
    const other = new api.Instance(module, both).exports
    other.change(1n)
    return [other.backs(1), other.theirs(5, 1), exports.indirect(5, 1), String(imports.env.changing.value), other.own === exports.own]
  },
  'imports that are wrong': ({ api, module, imports }) => {
    const env = (change: object) => caught(() => new api.Instance(module, { ...imports, env: { ...imports.env, ...change } }) && 'linked')
    return [
      caught(() => new api.Instance(module)),
      caught(() => new api.Instance(module, 5)),
      caught(() => new api.Instance(module, {})),
      caught(() => new api.Instance(module, { ...imports, env: 5 })),
      env({ log: 5 }),
      env({ log: undefined }),
      env({ constant: '40' }),
      env({ constant: 40n }),
      env({ changing: 5n }),
      env({ changing: new api.Global({ value: 'i32', mutable: true }, 1) }),
      env({ changing: new api.Global({ value: 'i64' }, 1n) }),
      env({ table: new api.Table({ element: 'anyfunc', initial: 2 }) }),
      env({ table: {} }),
      env({ table: new api.Table({ element: 'anyfunc', initial: 4 }) }),
    ]
  },
  'memories by JavaScript': ({ api }) => {
    const memory = new api.Memory({ initial: 1, maximum: 2 })
    new Uint8Array(memory.buffer)[5] = 9
    const before = memory.buffer
    return [
      memory.grow(1),
      before.byteLength,
      new Uint8Array(memory.buffer)[5],
      memory.buffer.byteLength,
      caught(() => memory.grow(1)),
      new api.Memory({ initial: 0 }).buffer.byteLength,
      caught(() => new api.Memory({ initial: 2, maximum: 1 })),
      caught(() => new api.Memory({})),
      caught(() => new api.Memory({ initial: -1 })),
      caught(() => new api.Memory({ initial: 65537 })),
    ]
  },
  'bytes that are no module': ({ api }) => [
    caught(() => new api.Module(new Uint8Array([1, 2, 3]))),
    caught(() => new api.Module('text')),
    caught(() => new api.Instance({})),
    api.validate(new Uint8Array([0])),
    caught(() => api.validate(5)),
  ],
  'errors and names': ({ api }) => [
    new api.RuntimeError('x') instanceof Error,
    new api.CompileError('x').name,
    new api.LinkError('x').message,
    String(api),
    Object.prototype.toString.call(new api.Global({ value: 'i32' })),
  ],
}

const plain = (_key: string, value: unknown) =>
  value === undefined
    ? 'undefined'
    : typeof value === 'bigint'
      ? `${value}n`
      : Number.isNaN(value)
        ? 'NaN'
        : value === Infinity
          ? 'Infinity'
          : value

/** Name and result of each case. */
export function results(api: Any, module: Any): [name: string, result: string][] {
  return Object.entries(cases).map(([name, run]) => [
    name,
    JSON.stringify(
      caught(() => run(given(api, module))),
      plain,
    ),
  ])
}

/** Of each function of a module of numeric operations, called with all pairs of these values: a digest of what it gives. */
export function digests(api: Any, module: Any): [name: string, result: string][] {
  const { exports } = new api.Instance(module, {})
  const numbers = [
    0,
    -0,
    1,
    -1,
    0.5,
    -1.5,
    2.5,
    3,
    7,
    31,
    32,
    33,
    255,
    -128,
    65535,
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 31,
    2 ** 32,
    1e10,
    -1e19,
    2 ** 63,
    1.7e38,
    1e308,
    5e-324,
    Number.NaN,
    Infinity,
    -Infinity,
  ]
  let seed = 12345
  const random = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) | 0
    return seed
  }
  for (let i = 0; i < 12; i++) numbers.push(random(), random() / 65536)
  const longs = numbers.map(n => (Number.isFinite(n) ? BigInt(Math.trunc(n)) * 4294967297n : 6148914691236517205n))
  return Object.keys(exports).map(name => {
    const [, letters] = name.split(' ')
    const lists = [...letters].map(letter => (letter === 'j' ? longs : numbers))
    let hash = 0
    const add = (value: unknown) => {
      // Not the digits, of which engines may write more or fewer.
      const text = typeof value === 'number' && !Number.isNaN(value) ? new Uint32Array(Float64Array.of(value).buffer).join() : String(value)
      for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
    }
    for (const a of lists[0]) {
      if (lists.length === 1) add(caught(() => exports[name](a)))
      else for (const b of lists[1]) add(caught(() => exports[name](a, b)))
    }
    return [name, String(hash)]
  })
}
