// What programs of the fuzzer stand on: printing that every engine does the same way, fuel, and objects that tell what is done to them.
// A line that begins with ~ is not the standard's business: texts of errors, stacks, depths.
let fuel,
  lines = 0,
  box,
  table,
  proxied,
  bytes
globalThis.shared = 0
Object.defineProperty(globalThis, Symbol.toStringTag, { value: 'global', configurable: true })
for (const key of ['now', 'add', 'checksum']) delete globalThis[key]
const ok = () => fuel-- > 0
const kinds = {
  number: v => (Object.is(v, -0) ? '-0' : String(v)),
  bigint: v => `${v}n`,
  undefined: () => 'undefined',
  boolean: String,
  symbol: String,
}
// Not JSON.stringify, which the native engine lets go less deep.
const quoted = v => `"${v.replace(/["\\\n\ud800-\udfff]/g, c => `\\u${c.charCodeAt(0).toString(16)}`)}"`
const shortText = v => (v.length > 60 ? `${v.length}:${quoted(v.slice(0, 40))}` : quoted(v))
const shortKey = key => (/^[\w$]{1,20}$/.test(key) ? key : shortText(key))
const own = (v, key) => {
  const found = Object.getOwnPropertyDescriptor(v, key)
  return found && 'value' in found ? found.value : 'accessor'
}
const show = (v, depth = 0) => {
  if (typeof v === 'string') return shortText(v)
  if (v === null) return 'null'
  if (typeof v !== 'object' && typeof v !== 'function') {
    const text = kinds[typeof v](v)
    return text.length > 80 ? `${text.length}:${text.slice(0, 60)}` : text
  }
  if (v === globalThis) return 'global'
  if (depth > 2) return '...'
  try {
    if (typeof v === 'function') return `function ${show(own(v, 'name'), 3)}/${show(own(v, 'length'), 3)}`
    if (v instanceof Error) return `error ${show(own(Object.getPrototypeOf(v), 'name'), 3)}`
    if (v instanceof Promise) return 'promise'
    const list = items => Array.from(items, item => show(item, depth + 1)).join(', ')
    if (v instanceof Map) return `map ${v.size} [${list([...v].slice(0, 6))}]`
    if (v instanceof Set) return `set ${v.size} [${list([...v].slice(0, 6))}]`
    if (ArrayBuffer.isView(v)) return `${v[Symbol.toStringTag]} [${list(v.slice(0, 8))}]`
    const keys = Reflect.ownKeys(v)
    const shown = keys.slice(0, 8).map(key => {
      const found = Object.getOwnPropertyDescriptor(v, key)
      return `${typeof key === 'symbol' ? String(key) : shortKey(key)}: ${found && 'value' in found ? show(found.value, depth + 1) : 'accessor'}`
    })
    return `${Array.isArray(v) ? 'array' : 'object'} ${keys.length} {${shown.join(', ')}}`
  } catch (e) {
    return 'not shown'
  }
}
const say = text => {
  if (lines++ < 300) print(text)
}
const p = (...values) => {
  say(values.map(v => show(v)).join(' '))
  return values[values.length - 1]
}
const where = e => {
  say(`caught ${show(e)}`)
  if (e instanceof Error) say(`~ ${shortText(String(own(e, 'message')))} ${String(own(e, 'stack')).split('\n').slice(0, 12).join(' | ')}`)
}
const depth = (n, e) => {
  say(`~ deep ${n} ${show(e)}`)
  say('deep')
}
const die = value => {
  p('die', value)
  throw value
}
const trim = v =>
  typeof v === 'string' && v.length > 200
    ? v.slice(0, 20)
    : typeof v === 'bigint' && (v > 2n ** 200n || v < -(2n ** 200n))
      ? BigInt.asIntN(64, v)
      : v
const cap = v => (typeof v === 'bigint' ? BigInt.asUintN(3, v) : v)
const at = v =>
  typeof v === 'number'
    ? v > 40 || v < -40
      ? v % 40
      : v
    : v === 'length'
      ? 'x'
      : typeof v === 'object' || typeof v === 'function'
        ? 'y'
        : v
const call = (f, ...values) => f(...values)
const tag = (texts, ...values) => p(texts.raw.join('|'), texts.length, ...values)
const tick = value =>
  new Promise(resolve => {
    resolve(value)
  })
const watch = promise => {
  promise.then(
    v => p('resolved', v),
    e => {
      say('rejected')
      where(e)
    },
  )
}
const drive = async it => {
  try {
    for await (const item of it) {
      if (!ok()) break
      p('item', item)
    }
  } catch (e) {
    where(e)
  }
}
const seen = n => ({
  a: n,
  b: -n,
  valueOf() {
    say(`valueOf ${n}`)
    return n
  },
  toString() {
    say(`toString ${n}`)
    return `seen${n}`
  },
  m(x) {
    say(`m ${n}`)
    return x
  },
  *[Symbol.iterator]() {
    try {
      for (let i = 0; i < n && ok(); i++) yield i
    } finally {
      say(`closed ${n}`)
    }
  },
})
const counted = n => {
  let i = 0
  return {
    [Symbol.iterator]() {
      return this
    },
    next(v) {
      say(`next ${show(v)}`)
      return ok() && i < n ? { value: i++, done: false } : { value: 'end', done: true }
    },
    return(v) {
      say(`return ${show(v)}`)
      return { value: v, done: true }
    },
    throw(v) {
      say(`throw ${show(v)}`)
      return { value: v, done: true }
    },
  }
}
const traps = {}
for (const name of ['get', 'set', 'has', 'deleteProperty', 'ownKeys', 'defineProperty', 'getOwnPropertyDescriptor']) {
  traps[name] = (target, key, ...more) => {
    if (fuel > 0 && typeof key !== 'symbol') say(`${name} ${show(key)}`)
    return Reflect[name](target, key, ...more)
  }
}
const run = (name, f) => {
  fuel = 300
  lines = 0
  box = {
    a: 1,
    b: 'two',
    c: 2.5,
    m(x) {
      say('box.m')
      return x
    },
  }
  table = new Map([
    [1, 'one'],
    ['a', -0],
  ])
  proxied = new Proxy({ a: 1 }, traps)
  bytes = new Uint8Array(6)
  say(`piece ${name}`)
  try {
    const result = f(1, -0)
    if (result instanceof Promise) watch(result)
    else if (typeof result?.next === 'function')
      for (const item of result) {
        if (!ok()) break
        p('item', item)
      }
    else p(result)
  } catch (e) {
    where(e)
  }
}
