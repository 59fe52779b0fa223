// Programs as people write them: classes, private fields, accessors, closures, destructuring, symbols, errors, generators.
(function () {
  class Emitter {
    #listeners = new Map()
    on(name, listener) {
      const list = this.#listeners.get(name) ?? []
      list.push(listener)
      this.#listeners.set(name, list)
      return () => this.#listeners.set(name, this.#listeners.get(name).filter(other => other !== listener))
    }
    emit(name, ...args) {
      for (const listener of this.#listeners.get(name) ?? []) listener.call(this, ...args)
    }
  }

  class Stream extends Emitter {
    static created = 0
    #state = 'closed'
    chunks = []
    constructor({ name = 'stream', limit = 8, ...options } = {}) {
      super()
      Object.assign(this, { name, limit }, options)
      Stream.created++
    }
    get state() { return this.#state }
    set state(next) {
      if (next === this.#state) return
      const before = this.#state
      this.#state = next
      this.emit('state', before, next)
    }
    write(chunk) {
      if (this.#state !== 'open') throw new TypeError(`${this.name} is ${this.#state}`, { cause: { chunk } })
      if (this.chunks.push(chunk) >= this.limit) this.state = 'full'
      return this
    }
    *[Symbol.iterator]() { while (this.chunks.length > 0) yield this.chunks.shift() }
  }

  const log = []
  let failures = 0, drained = 0
  for (let round = 0; round < 700; round++) {
    const stream = new Stream({ name: `s${round % 10}`, limit: 5, round })
    const off = stream.on('state', (from, to) => log.push(from.length + to.length))
    stream.state = 'open'
    for (let i = 0; i < 7; i++) {
      try {
        stream.write({ i, even: i % 2 === 0 })
      } catch (error) {
        if (!(error instanceof TypeError) || error.cause?.chunk === undefined) throw error
        failures++
      }
    }
    for (const { i, even = false } of stream) drained += even ? i : -i
    off()
    stream.state = 'closed'
  }

  // Tables of functions, a small interpreter, memoising closures, prototypes by hand.
  const actions = {
    push: (stack, value) => { stack.push(value) },
    add: stack => { stack.push(stack.pop() + stack.pop()) },
    mul: stack => { stack.push(stack.pop() * stack.pop()) },
    dup(stack) { stack.push(stack.at(-1)) },
  }
  function run(program) {
    const stack = []
    for (let at = 0; at < program.length; at++) {
      const [name, value] = program[at]
      switch (name) {
        case 'nop': continue
        case 'drop': stack.length--; break
        default: actions[name](stack, value)
      }
    }
    return stack[0]
  }
  const program = [['push', 3], ['dup'], ['mul'], ['nop'], ['push', 1], ['add'], ['dup'], ['drop']]
  let result = 0
  for (let i = 0; i < 2500; i++) result += run(program)

  const memo = fn => {
    const known = new Map()
    return key => known.has(key) ? known.get(key) : (known.set(key, fn(key)), known.get(key))
  }
  const ways = memo(n => n <= 1 ? 1 : ways(n - 1) + ways(n - 2))
  for (let i = 0; i < 400; i++) result += ways(i % 60) % 7

  function Point(x, y) { this.x = x; this.y = y }
  Point.prototype.plus = function (other) { return new Point(this.x + other.x, this.y + other.y) }
  Object.defineProperty(Point.prototype, 'length', { get() { return Math.hypot(this.x, this.y) } })
  let point = new Point(0, 0)
  for (let i = 0; i < 4000; i++) point = point.plus(new Point(i & 3, -(i & 1)))

  const settings = Object.freeze({ depth: { retry: 3, names: ['a', 'b'] }, on: true })
  let looked = 0
  for (let i = 0; i < 1500; i++) {
    const { depth: { retry, names: [first, , missing = 'none'] }, off } = settings
    looked += retry + first.length + missing.length + (off ?? 1) + ('on' in settings) + Object.entries(settings).length
    const copy = { ...settings, on: !settings.on, [`key${i % 5}`]: i }
    looked += Object.keys(copy).length
    delete copy.on
  }
  const guarded = new Proxy({ hits: 0 }, { get: (target, key, receiver) => Reflect.get(target, key, receiver), set: Reflect.set })
  for (let i = 0; i < 300; i++) guarded.hits++
  print(`objects: ${Stream.created} ${log.length} ${failures} ${drained} ${result} ${point.length.toFixed(3)} ${looked} ${guarded.hits}`)
})()
