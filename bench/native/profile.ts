/** What callgrind wrote: instructions by function, themselves only. https://valgrind.org/docs/manual/cl-format.html */

/** The functions that take memory and give it back, by their names among the engine's exports. */
const ALLOCATOR = /^engine_(?:malloc|free)|(?:dl)?(?:malloc|free|realloc)/

export class Profile {
  readonly byFunction: ReadonlyMap<string, number>

  constructor(byFunction: ReadonlyMap<string, number>) {
    this.byFunction = byFunction
  }

  get total(): number {
    let sum = 0
    for (const cost of this.byFunction.values()) sum += cost
    return sum
  }

  /** What each of `units` costs that were done more often here. */
  minus(other: Profile, units: number): Profile {
    const names = [...this.byFunction.keys()]
    return new Profile(new Map(names.map(name => [name, (this.byFunction.get(name)! - (other.byFunction.get(name) ?? 0)) / units])))
  }

  /** Rows for a table: the interpreter's loop, which is the dearest of all functions, the allocator, and the ten dearest others. */
  shares(): string[][] {
    const sorted = [...this.byFunction].sort(([, a], [, b]) => b - a)
    const [loop, ...others] = sorted
    const allocator = others.filter(([name]) => ALLOCATOR.test(name))
    const rest = others.filter(([name]) => !ALLOCATOR.test(name))
    const total = this.total
    const row = (title: string, cost: number) => [title, cost.toFixed(0), `${((100 * cost) / total).toFixed(1)} %`]
    const sum = (entries: [string, number][]) => entries.reduce((sum, [, cost]) => sum + cost, 0)
    return [
      ['', 'instructions', 'share'],
      row(`the interpreter's loop (${loop![0]})`, loop![1]),
      row('memory taken and given back', sum(allocator)),
      ...rest.slice(0, 10).map(([name, cost]) => row(name, cost)),
      row('all others', sum(rest.slice(10))),
    ]
  }
}

/** Lines of costs belong to the `fn=` before them; what follows a `calls=` line is the callee's, and is not counted. Names come once, with a number. */
export function readProfile(text: string): Profile {
  const byFunction = new Map<string, number>()
  const names = new Map<string, string>()
  let current = ''
  let isCall = false
  for (const line of text.split('\n')) {
    const name = /^fn=\((\d+)\)(?: (.*))?$/.exec(line)
    if (name) {
      const [, number, given] = name
      if (given !== undefined) names.set(number!, given)
      current = names.get(number!)!
    } else if (line.startsWith('calls=')) isCall = true
    else if (/^[+\-*\d]/.test(line)) {
      if (!isCall) byFunction.set(current, (byFunction.get(current) ?? 0) + Number(line.split(' ')[1]))
      isCall = false
    }
  }
  return new Profile(byFunction)
}
