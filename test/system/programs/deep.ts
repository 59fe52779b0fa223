// Runs out of stack in every way the engine has; each must be an error that can be caught.
import { unikernel } from 'xen-ts'

const ways: Record<string, () => unknown> = {
  recursion: () => {
    const f = (): number => f() + 1
    return f()
  },
  map: () => {
    const f = (): unknown => [1].map(f)
    return f()
  },
  getter: () => {
    const o = {
      get x(): unknown {
        return JSON.stringify(o)
      },
      toJSON() {
        return this.x
      },
    }
    return JSON.stringify(o)
  },
  proxy: () => {
    const p: any = new Proxy({}, { get: (_, key) => p[String(key) + 'x'] })
    return p.a
  },
  replace: () => {
    const f = (): string => 'a'.replace(/a/, f)
    return f()
  },
  parse: () => JSON.parse('['.repeat(20_000)),
  stringify: () => {
    let a: unknown[] = []
    for (let i = 0; i < 20_000; i++) a = [a]
    return JSON.stringify(a)
  },
  evaluate: () => (0, eval)('('.repeat(20_000)),
  pattern: () => new RegExp('('.repeat(20_000)),
}

export default unikernel({
  name: 'deep',
  async start({ log }) {
    for (const [name, run] of Object.entries(ways)) {
      try {
        run()
        log.info(`${name}: returned`)
      } catch (error) {
        log.info(`${name}: ${(error as Error)?.name}`)
      }
    }
  },
})
