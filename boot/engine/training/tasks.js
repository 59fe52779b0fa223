// Concurrency: promises, async functions and iterators, a channel, timeouts by hand, generators as coroutines.
(function () {
  class Channel {
    #values = []
    #waiting = []
    send(value) {
      const waiting = this.#waiting.shift()
      if (waiting) waiting({ value, done: false })
      else this.#values.push(value)
    }
    next() {
      if (this.#values.length > 0) return Promise.resolve({ value: this.#values.shift(), done: false })
      return new Promise(resolve => this.#waiting.push(resolve))
    }
    [Symbol.asyncIterator]() { return this }
  }

  const sleepers = []
  const sleep = turns => new Promise(resolve => sleepers.push({ turns, resolve }))
  const tick = () => {
    for (const sleeper of sleepers.splice(0)) {
      if (--sleeper.turns > 0) sleepers.push(sleeper)
      else sleeper.resolve(sleeper.turns)
    }
  }

  const channel = new Channel(), done = []
  async function producer(id, count) {
    for (let i = 0; i < count; i++) {
      channel.send({ id, i })
      if (i % 3 === 0) await sleep(1 + i % 2)
    }
    return id
  }
  async function consumer(limit) {
    let seen = 0
    for await (const { id, i } of channel) {
      seen += id * 0 + 1
      if (i < 0 || seen >= limit) break
    }
    return seen
  }
  async function* pages(count) {
    for (let page = 0; page < count; page++) {
      await null
      yield { page, items: [page, page + 1] }
    }
  }
  async function risky(i) {
    await undefined
    if (i % 4 === 0) throw new Error(`risk ${i}`)
    return i
  }
  async function main() {
    const results = await Promise.all([producer(1, 400), producer(2, 400), consumer(700)])
    let items = 0
    for await (const { items: [a, b] } of pages(300)) items += b - a
    const settled = await Promise.allSettled(Array.from({ length: 400 }, (_, i) => risky(i)))
    const failed = settled.filter(({ status }) => status === 'rejected').length
    let caught = 0
    for (let i = 0; i < 400; i++) {
      try {
        await risky(i)
      } catch {
        caught++
      }
    }
    const first = await Promise.race([sleep(3).then(() => 'slow'), sleep(1).then(() => 'fast')])
    let chain = Promise.resolve(0)
    for (let i = 0; i < 600; i++) chain = chain.then(value => value + i).finally(() => {})
    done.push(results, items, failed, caught, first, await chain)
    return 'done'
  }

  function* worker(name) {
    let received = 0
    while (received < 100) received += yield `${name}${received}`
    return received
  }
  const workers = ['a', 'b', 'c'].map(worker)
  let steps = 0
  for (let turn = 0; turn < 900; turn++) {
    const { value, done } = workers[turn % 3].next(turn & 1)
    if (value !== undefined && !done) steps++
  }

  // The turns of an event loop: each a job that starts the next while there is work.
  let over = false, turns = 0
  const turn = () => {
    tick()
    turns++
    if (!over) Promise.resolve().then(() => null).then(turn)
  }
  main().then(() => {
    over = true
    print(`tasks: ${JSON.stringify(done)} ${steps} ${add(turns, 0) > 0}`)
  })
  turn()
})()
