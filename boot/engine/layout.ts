/**
 * Where things are inside the engine's structures. The kernel reads and writes a few fields that the engine's C interface does
 * not offer (the data pointer of a Uint8Array, the state of Math.random ...). Their offsets are constants of the build; here each
 * is found by what the engine does, never assumed, in instances of the same .wasm that are thrown away afterwards.
 *
 * Every probe searches for exactly one place that fits, and where it can it then proves the place by changing it. None or
 * several is an EngineError: better no image than one that pokes at the wrong bytes.
 */
import { EngineError, restorePackage } from './error.ts'
import { createEngine, type Engine } from './instance.ts'
import { engineNames, enginePackage } from './names.ts'

/** Offsets and sizes in bytes. */
export interface EngineLayout {
  /** A number that is no int32 is stored as its bits minus this (NaN boxing: bits = value + addend, modulo 2^64). */
  readonly float64Addend: bigint
  /** The JSValue undefined. */
  readonly undefinedValue: bigint
  /** Of the u16 class id in JSObject. The low half of an object's JSValue is its address. */
  readonly classId: number
  readonly uint8ArrayClass: number
  /** In the JSObject of a Uint8Array: u32 address of its first byte, view offset included. */
  readonly arrayData: number
  /** In the JSObject of a Uint8Array: u32 length. */
  readonly arrayLength: number
  /** In the JSObject of an ArrayBuffer: u32 address of its JSArrayBuffer record. */
  readonly bufferRecord: number
  /** In that record: u32 table index of the free function; 0 makes the buffer not own its memory. */
  readonly bufferFree: number
  /** A string's u32 length (bit 31: wide) stands this far before the char* that QTS_GetString returns. */
  readonly stringLength: number
  /** In JSContext: u64 state of Math.random (xorshift64*), never zero. */
  readonly randomState: number
  /** In JSRuntime: u8, bit 0 set: functions compiled from now on keep no source text (line numbers stay). */
  readonly stripFlags: number
  /** In JSRuntime: u32, what JavaScript may use of the linear stack, bytes; and u32, the address below which a call is refused. */
  readonly stackSize: number
  readonly stackLimit: number
  /** In JSRuntime: u32, bytes that JavaScript has from the allocator; and u32, that number above which the cycle collector runs. */
  readonly heapSize: number
  readonly gcThreshold: number
  /** In JSRuntime: u32 table index of the promise rejection tracker (ctx, promise, reason, is_handled, opaque); 0: none. */
  readonly rejectionTracker: number
}

let layout: Promise<EngineLayout> | undefined
/** The layout of the installed engine. Throws an EngineError when a probe does not find exactly one place. */
export function engineLayout(): Promise<EngineLayout> {
  layout ??= probe()
  return layout
}

async function probe(): Promise<EngineLayout> {
  const { tableSize } = await engineNames()
  const engine = await createEngine()
  const classes = probeClassId(engine)
  const array = probeUint8Array(engine)
  const buffer = probeArrayBuffer(engine, tableSize)
  return {
    ...probeValues(engine),
    ...classes,
    ...array,
    ...buffer,
    stringLength: probeString(engine),
    randomState: probeRandom(engine),
    stripFlags: probeStripFlags(engine),
    ...probeHeapAccount(await createEngine()),
    ...probeStackLimit(engine),
    rejectionTracker: await probeRejectionTracker(tableSize),
  }
}

/** The one candidate that fits; throws when there is none, or more than one. */
function one<T>(what: string, candidates: readonly T[]): T {
  if (candidates.length === 1) return candidates[0]
  const found = candidates.length === 0 ? 'nowhere' : `in ${candidates.length} places (${candidates.join(', ')})`
  throw new EngineError(`The engine's ${what} was found ${found}.`, enginePackage, restorePackage)
}

function prove(what: string, proved: boolean): void {
  if (!proved) throw new EngineError(`The engine's ${what} does not do what it should.`, enginePackage, restorePackage)
}

const multiples = (step: number, from: number, to: number): number[] =>
  Array.from({ length: (to - from) / step }, (_, i) => from + i * step)

/** JSObject is smaller than this, and so is the part of JSArrayBuffer that matters. */
const objectBytes = 48
const recordBytes = 48
const runtimeBytes = 512
const contextBytes = 1024

const u32 = (engine: Engine, address: number) => engine.view().getUint32(address, true)
const u64 = (engine: Engine, address: number) => engine.view().getBigUint64(address, true)
/** Address of the object that the JSValue at `value` refers to. */
const object = u32

function probeValues(engine: Engine) {
  const doubleBits = (value: number) => new BigUint64Array(new Float64Array([value]).buffer)[0]
  const boxed = (value: number) => u64(engine, engine.call.QTS_NewFloat64(engine.context, value))
  const addend = (value: number) => BigInt.asUintN(64, doubleBits(value) - boxed(value))
  const float64Addend = one('NaN boxing addend', [...new Set([0.5, -0.5, 1e300, -4.9e-324, Math.PI].map(addend))])
  const undefinedValue = u64(engine, engine.call.QTS_GetUndefined())
  prove('value undefined', u64(engine, engine.evaluate('undefined')) === undefinedValue)
  prove('value undefined', u64(engine, engine.evaluate('null')) !== undefinedValue)
  return { float64Addend, undefinedValue }
}

/** QuickJS numbers the typed array classes in this order, one after the other (enum JS_CLASS_UINT8C_ARRAY ... in quickjs.c). */
function probeClassId(engine: Engine) {
  const order = ['Uint8ClampedArray', 'Int8Array', 'Uint8Array', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array']
  const objects = order.map(name => object(engine, engine.evaluate(`new ${name}(3)`)))
  const ids = (offset: number) => objects.map(address => engine.view().getUint16(address + offset, true))
  const inOrder = (found: number[]) => found.every((id, i) => id > 0 && id === found[0] + i)
  const classId = one(
    'class id',
    multiples(2, 0, objectBytes).filter(offset => inOrder(ids(offset))),
  )
  return { classId, uint8ArrayClass: ids(classId)[order.indexOf('Uint8Array')] }
}

function probeUint8Array(engine: Engine) {
  const length = 70001,
    skip = 4321
  const data = engine.call.malloc(length + skip + 9)
  const value = engine.call.QTS_NewArrayBuffer(engine.context, data, length + skip + 9)
  setGlobal(engine, 'probeBuffer', value)
  const array = object(engine, engine.evaluate(`globalThis.probeArray = new Uint8Array(probeBuffer, ${skip}, ${length})`))
  const offsets = multiples(4, 0, objectBytes)
  const arrayData = one(
    'data pointer of a Uint8Array',
    offsets.filter(offset => u32(engine, array + offset) === data + skip),
  )
  const arrayLength = one(
    'length of a Uint8Array',
    offsets.filter(offset => u32(engine, array + offset) === length),
  )
  engine.evaluate('probeArray[7] = 0xa5')
  prove('data pointer of a Uint8Array', engine.bytes()[u32(engine, array + arrayData) + 7] === 0xa5)
  engine.evaluate('delete globalThis.probeArray; delete globalThis.probeBuffer')
  return { arrayData, arrayLength }
}

function probeArrayBuffer(engine: Engine, tableSize: number) {
  // Two buffers of different size and place: what both share in the same field is the free function.
  const buffers = [70003, 70017].map(length => {
    const data = engine.call.malloc(length)
    return { length, data, object: object(engine, engine.call.QTS_NewArrayBuffer(engine.context, data, length)) }
  })
  const records = (offset: number) => buffers.map(buffer => u32(engine, buffer.object + offset))
  const describes = (record: number, { data, length }: { data: number; length: number }) => {
    if (record === 0 || record + recordBytes > engine.bytes().length) return false
    const fields = multiples(4, 0, recordBytes).map(offset => u32(engine, record + offset))
    return fields.includes(data) && fields.includes(length)
  }
  const bufferRecord = one(
    'record of an ArrayBuffer',
    multiples(4, 0, objectBytes).filter(offset => records(offset).every((record, i) => describes(record, buffers[i]))),
  )
  const bufferFree = one(
    'free function of an ArrayBuffer',
    multiples(4, 0, recordBytes).filter(offset => {
      const [first, second] = records(bufferRecord).map(record => u32(engine, record + offset))
      return first === second && first > 1 && first < tableSize
    }),
  )

  // A buffer that is dropped frees its memory, and the allocator gives the same piece again; without the function it does not.
  const dropped = (owning: boolean) => {
    const length = 70029,
      data = engine.call.malloc(length)
    const value = engine.call.QTS_NewArrayBuffer(engine.context, data, length)
    if (!owning) engine.view().setUint32(u32(engine, object(engine, value) + bufferRecord) + bufferFree, 0, true)
    engine.call.QTS_FreeValuePointer(engine.context, value)
    const again = engine.call.malloc(length)
    engine.call.free(again)
    return again === data
  }
  prove('free function of an ArrayBuffer', dropped(true) && !dropped(false))
  return { bufferRecord, bufferFree }
}

function probeString(engine: Engine): number {
  // Plain, a rope, and one that is converted to UTF-8 into a new string.
  const texts = ['"hello"', '"x".repeat(1234) + "y".repeat(77)', '"\\u00e9".repeat(300)', '"\\u20ac".repeat(301)']
  const lengths = [5, 1311, 600, 903]
  const chars = texts.map(text => engine.call.QTS_GetString(engine.context, engine.evaluate(text)))
  return one(
    'string length',
    multiples(4, 4, 64).filter(before => chars.every((address, i) => (u32(engine, address - before) & 0x7fffffff) === lengths[i])),
  )
}

function probeRandom(engine: Engine): number {
  const { context } = engine
  const draw = () => engine.text(engine.evaluate('Math.random()'))
  const at = (offset: number) => u64(engine, context + offset)
  const seed = (offset: number, state: bigint) => engine.view().setBigUint64(context + offset, state, true)
  const after = (offset: number, state: bigint) => {
    seed(offset, state)
    return draw()
  }
  draw()
  const offsets = multiples(8, 0, contextBytes)
  const before = offsets.map(at)
  draw()
  // The interrupt counter counts down meanwhile; only the random state decides what comes next.
  const states = [0x0123456789abcdefn, 1n << 40n, 3n << 40n]
  return one(
    'random state',
    offsets.filter((offset, i) => {
      const old = at(offset)
      if (old === before[i]) return false
      const draws = states.map(state => after(offset, state)),
        again = states.map(state => after(offset, state))
      if (new Set(draws).size === states.length && draws.every((value, k) => value === again[k])) return true
      seed(offset, old)
      return false
    }),
  )
}

/**
 * strip_flags stands in JSRuntime directly before the shape hash table's fields: bits, size (1 << bits), used entries, and the
 * table's address. No other place looks like that.
 */
function probeStripFlags(engine: Engine): number {
  const { runtime, view, bytes } = engine
  const shapeHash = one(
    'shape hash table',
    multiples(4, 4, runtimeBytes).filter(offset => {
      const [bits, size, used, table] = [0, 4, 8, 12].map(next => u32(engine, runtime + offset + next))
      return bits >= 4 && bits <= 20 && size === 2 ** bits && used > 0 && used < size && table > runtime && table < bytes().length
    }),
  )
  const source = 'globalThis.stripProbe = function () {\n  null.x /* kept text */\n}'
  const keepsSource = () => engine.text(engine.evaluate(`${source}; String(stripProbe)`)).includes('kept text')
  const keepsLine = () => engine.text(engine.evaluate('try { stripProbe() } catch (e) { e.stack }')).includes('probe.js:2')
  const stripFlags = one(
    'strip flags',
    [shapeHash - 4].filter(offset => view().getUint8(runtime + offset) === 0),
  )
  prove('strip flags', keepsSource() && keepsLine())
  view().setUint8(runtime + stripFlags, 1)
  prove('strip flags', !keepsSource() && keepsLine())
  view().setUint8(runtime + stripFlags, 0)
  engine.evaluate('delete globalThis.stripProbe')
  return stripFlags
}

/** QTS_RuntimeSetMaxStackSize sets both: the size as it is, the limit that far below the top of the stack. */
function probeStackLimit(engine: Engine) {
  const { runtime, call, view } = engine
  const offsets = multiples(4, 0, runtimeBytes)
  const fieldsWith = (size: number) => {
    call.QTS_RuntimeSetMaxStackSize(runtime, size)
    return offsets.map(offset => u32(engine, runtime + offset))
  }
  const sizes = [700_016, 500_016, 900_016]
  const found = sizes.map(fieldsWith)
  const stackSize = one(
    'stack size',
    offsets.filter((_, i) => sizes.every((size, k) => found[k][i] === size)),
  )
  const stackLimit = one(
    'stack limit',
    offsets.filter((_, i) => found[0][i] > 0 && sizes.every((size, k) => found[k][i] + size === found[0][i] + sizes[0])),
  )
  // As the kernel does it: raised while the program runs, calls from then on are refused, with an exception like any other.
  const limit = u32(engine, runtime + stackLimit)
  const setLimit = (value: number): undefined => view().setUint32(runtime + stackLimit, value, true) as undefined
  engine.define('probeLimit', high => setLimit(high ? 0xffffffff : limit))
  const message = (high: boolean) => engine.text(engine.evaluate(`try { probeLimit(${high}); (() => 'none')() } catch (e) { e.message }`))
  prove('stack limit', message(false) === 'none' && message(true) === 'stack overflow')
  setLimit(limit)
  prove('stack limit', message(false) === 'none')
  engine.evaluate('delete globalThis.probeLimit')
  return { stackSize, stackLimit }
}

/**
 * JSMallocState is a count of allocations, what they have in bytes (of which this build knows 8 for each: account.ts), and a limit, which is
 * "none". The threshold is the collector's first, 256 KiB, in a runtime that nothing has run in; the collector sets it anew.
 */
function probeHeapAccount(engine: Engine) {
  const { runtime } = engine
  const at = (offset: number) => u32(engine, runtime + offset)
  const fields = () => multiples(4, 0, runtimeBytes).map(at)
  const before = fields()
  const [one_, many] = ['globalThis.kept = {}', 'globalThis.more = Array.from({ length: 500 }, () => ({}))'].map(source => {
    engine.evaluate(source)
    return fields()
  })
  const grown = (i: number) => many[i] - one_[i]
  const count = one(
    'count of allocations',
    multiples(4, 0, runtimeBytes - 8).filter((_, i) => grown(i) > 500 && grown(i + 1) === 8 * grown(i) && one_[i + 2] === 0xffffffff),
  )
  const gcThreshold = one(
    "cycle collector's threshold",
    multiples(4, 0, runtimeBytes).filter((_, i) => before[i] === 256 << 10 && grown(i) === 0),
  )
  engine.evaluate('for (let i = 0; i < 1000; i++) { const o = {}; o.self = o }')
  const withGarbage = at(count)
  engine.view().setUint32(runtime + gcThreshold, 0, true)
  engine.evaluate('0')
  prove("cycle collector's threshold", at(count) < withGarbage - 900 && at(gcThreshold) > at(count + 4))
  engine.evaluate('delete globalThis.kept; delete globalThis.more')
  return { heapSize: count + 4, gcThreshold }
}

/**
 * JSRuntime holds, one after the other, interrupt_handler, interrupt_opaque, host_promise_rejection_tracker and its opaque; the
 * first can be set through the engine's interface. That the third is the tracker is proved by pointing it behind the end of the
 * function table, where the kernel's table has its slot: a rejection then traps, as nothing else does.
 */
async function probeRejectionTracker(tableSize: number): Promise<number> {
  const offsets = multiples(4, 0, runtimeBytes)
  const survivesRejection = async (prepare: (engine: Engine) => void): Promise<boolean> => {
    const engine = await createEngine() // one for each try: after a trap nothing in it can be trusted
    prepare(engine)
    try {
      engine.evaluate('Promise.reject(new Error("probe")); 0')
      engine.drain()
      return true
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError && /table/.test(error.message)) return false
      throw error
    }
  }
  const engine = await createEngine()
  const fields = () => offsets.map(offset => u32(engine, engine.runtime + offset))
  const before = fields()
  engine.call.QTS_RuntimeEnableInterruptHandler(engine.runtime)
  const after = fields()
  const isSet = (i: number) => before[i] === 0 && after[i] > 0 && after[i] < tableSize
  const interruptHandler = one(
    'interrupt handler',
    offsets.filter((_, i) => isSet(i)),
  )
  const rejectionTracker = interruptHandler + 8
  const set = (offset: number) => (engine: Engine) => engine.view().setUint32(engine.runtime + offset, tableSize, true)
  prove('promise rejection tracker', !(await survivesRejection(set(rejectionTracker))))
  prove('promise rejection tracker', (await survivesRejection(() => {})) && (await survivesRejection(set(rejectionTracker + 4))))
  return rejectionTracker
}

function setGlobal(engine: Engine, name: string, value: number): void {
  const chars = engine.newText(name)
  const global = engine.call.QTS_GetGlobalObject(engine.context),
    key = engine.call.QTS_NewString(engine.context, chars)
  engine.call.QTS_SetProp(engine.context, global, key, value)
  for (const used of [global, key, value]) engine.call.QTS_FreeValuePointer(engine.context, used)
  engine.call.free(chars)
}

if (import.meta.main) console.log(await engineLayout())
