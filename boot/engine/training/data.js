// Collections, JSON, sorting, dates, numbers.
(function () {
  // A routing table, an LRU cache, a queue of timers as a heap, sets of ports.
  class Cache {
    constructor(limit) { this.limit = limit; this.map = new Map() }
    get(key) {
      const value = this.map.get(key)
      if (value !== undefined) { this.map.delete(key); this.map.set(key, value) }
      return value
    }
    set(key, value) {
      this.map.set(key, value)
      if (this.map.size > this.limit) this.map.delete(this.map.keys().next().value)
    }
  }
  const cache = new Cache(64)
  let hits = 0
  for (let i = 0; i < 7000; i++) {
    const key = i * i % 131
    if (cache.get(key)) hits++
    else cache.set(key, { key, at: i })
  }

  class Heap {
    items = []
    add(item) {
      const { items } = this
      let at = items.push(item) - 1
      while (at > 0 && items[at - 1 >> 1].due > item.due) {
        items[at] = items[at - 1 >> 1]
        at = at - 1 >> 1
      }
      items[at] = item
    }
    take() {
      const { items } = this, first = items[0], last = items.pop()
      if (items.length > 0) {
        let at = 0
        for (;;) {
          let child = 2 * at + 1
          if (child + 1 < items.length && items[child + 1].due < items[child].due) child++
          if (child >= items.length || items[child].due >= last.due) break
          items[at] = items[child]
          at = child
        }
        items[at] = last
      }
      return first
    }
  }
  const timers = new Heap()
  let order = 0
  for (let i = 0; i < 2500; i++) {
    timers.add({ due: (i * 2654435761 >>> 0) % 10007, run: () => i })
    if (i % 3 === 2) order = order * 31 + timers.take().run() | 0
  }

  const ports = new Set()
  for (let i = 0; i < 6000; i++) {
    const port = 1024 + (i * 31) % 400
    if (ports.has(port)) ports.delete(port)
    else ports.add(port)
  }
  const weak = new WeakMap()
  for (let i = 0; i < 500; i++) weak.set({ i }, i)

  // JSON of several shapes, both ways, with reviver and replacer now and then.
  const config = {
    domains: Array.from({ length: 12 }, (_, id) => ({ id, name: `vm-${id}`, memory: 2 ** (id % 5) * 64, template: id % 3 === 0, devices: [{ mac: '00:16:3e:5e:6c:0' + id % 10, script: null }] })),
    policy: { allow: ['ping', 'file\u00e9'], nested: { deep: { deeper: [[1, -2.5], [3e10, 0.000001]] } }, text: 'line\n"quoted"\t\\ end' },
  }
  let size = 0
  for (let i = 0; i < 90; i++) {
    const text = JSON.stringify(config, null, i % 4 === 0 ? 2 : 0)
    const back = JSON.parse(text, i % 9 === 0 ? (key, value) => key === 'mac' ? value.length : value : undefined)
    size += text.length + back.domains.length
  }

  // Arrays and sorting.
  const people = Array.from({ length: 400 }, (_, i) => ({ age: (i * 7919) % 83, name: `p${(i * 104729) % 1000}` }))
  let sorted = 0
  for (let i = 0; i < 12; i++) {
    const copy = people.slice().sort((a, b) => a.age - b.age || (a.name < b.name ? -1 : 1))
    sorted += copy[i].age + copy.findIndex(person => person.age > 50) + people.toSorted((a, b) => b.age - a.age)[0].age
  }
  const grouped = Object.groupBy(people, person => person.age % 10)
  const list = []
  for (let i = 0; i < 3000; i++) { list.push(i); if (i % 5 === 0) list.unshift(list.pop()); if (i % 7 === 0) list.shift(); if (list.length > 50) list.splice(10, 20, -1) }
  const matrix = Array.from({ length: 24 }, (_, y) => Array.from({ length: 24 }, (_, x) => x * y % 10))
  const product = matrix.map(row => matrix[0].map((_, x) => row.reduce((sum, value, k) => sum + value * matrix[k][x], 0)))
  const flat = product.flat().concat(list).flatMap(x => [x, -x]).filter((x, i, all) => all[i] >= 0 && x !== 5)
  const found = [flat.includes(81), flat.indexOf(64), flat.some(x => x > 1e6), flat.every(Number.isFinite), flat.join().length, flat.reverse().at(-1)]

  // Numbers: floating point, integers, Math, a little BigInt, dates.
  let x = 0.5, sum = 0
  for (let i = 1; i < 12000; i++) {
    x = x * 3.9 * (1 - x)
    sum += Math.floor(x * 100) + Math.abs(Math.sin(i)) * Math.sqrt(i) + Math.max(x, 0.5, i % 3) + (i ** 2 % 97) / 7
  }
  let hash = 2166136261
  for (let i = 0; i < 12000; i++) hash = Math.imul(hash ^ i & 0xff, 16777619) >>> 0
  const primes = new Uint8Array(4000)
  let count = 0
  for (let i = 2; i < primes.length; i++) {
    if (primes[i]) continue
    count++
    for (let k = i * i; k < primes.length; k += i) primes[k] = 1
  }
  let big = 1n
  for (let i = 1n; i < 120n; i++) big = big * i % 0xffffffffffffffc5n + (i << 40n)
  const date = new Date(Date.UTC(2026, 10, 22, 18, 29, 54))
  for (let i = 0; i < 200; i++) {
    date.setUTCMinutes(date.getUTCMinutes() + 61)
    sum += date.toISOString().length + date.getUTCDay() + Date.parse('2026-11-22T18:29:54.123Z') % 1000
  }
  print(`data: ${hits} ${order} ${ports.size} ${size} ${sorted} ${Object.keys(grouped).length} ${found} ${sum.toFixed(3)} ${hash} ${count} ${big} ${date.getTime()}`)
})()
