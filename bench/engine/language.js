// The language itself: calls, objects, closures, iteration, exceptions, arithmetic.
(function () {
  function tak(x, y, z) {
    return y >= x ? z : tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y))
  }
  benchmark('calls', 1, 7, () => tak(18, 12, 6))

  class Shape {
    constructor(name) { this.name = name }
    area() { return 0 }
    get label() { return this.name }
  }
  class Box extends Shape {
    constructor(width, height) {
      super('box')
      this.width = width
      this.height = height
    }
    area() { return super.area() + this.width * this.height }
  }
  class Disc extends Shape {
    #radius
    constructor(radius) {
      super('disc')
      this.#radius = radius
    }
    area() { return this.#radius * this.#radius * 3 }
  }
  benchmark('classes', 5000, 5000 * 25, count => {
    let total = 0
    for (let i = 0; i < count; i++) {
      const shapes = [new Box(2, 3), new Disc(2)]
      for (const shape of shapes) total += shape.area() + shape.label.length
    }
    return total
  })

  benchmark('closures', 300, 300 * 112761, count => {
    const numbers = Array.from({ length: 100 }, (_, i) => i)
    let total = 0
    for (let i = 0; i < count; i++) total += numbers.map(x => x * x).filter(x => x % 3 === 0).reduce((sum, x) => sum + x, 0)
    return total
  })

  function* range(from, to) {
    for (let i = from; i < to; i++) yield i
  }
  benchmark('iteration', 300, 300 * 4950, count => {
    let total = 0
    for (let i = 0; i < count; i++) {
      for (const [index, value] of [...range(0, 100)].entries()) {
        const { a, ...rest } = { a: index, b: value }
        total += a + rest.b - index
      }
    }
    return total
  })

  benchmark('exceptions', 5000, 10000, count => {
    let caught = 0
    const parse = text => {
      if (text.length > 3) throw new RangeError(`too long: ${text}`)
      return text
    }
    for (let i = 0; i < count; i++) {
      try {
        parse('abcd')
      } catch (error) {
        if (error instanceof RangeError) caught++
      } finally {
        caught++
      }
    }
    return caught
  })

  benchmark('floats', 20, 20 * 1733, count => {
    let inside = 0
    for (let i = 0; i < count; i++) {
      for (let y = -1.2; y < 1.2; y += 0.05) {
        for (let x = -2; x < 0.5; x += 0.05) {
          let re = 0, im = 0, n = 0
          while (re * re + im * im < 4 && n < 30) {
            const next = re * re - im * im + x
            im = 2 * re * im + y
            re = next
            n++
          }
          if (n < 30) inside++
        }
      }
    }
    return inside
  })

  benchmark('bigint', 2000, (2n ** 127n - 1n) % 1000000007n, count => {
    let value = 0n
    for (let i = 0; i < count; i++) {
      value = (1n << 127n) - 1n
      value = (value * value) % (value + 2n) + value - 1n
      value = ((1n << 127n) - 1n) % 1000000007n
    }
    return value
  })
})()
