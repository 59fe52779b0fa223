/**
 * The other half of a target for `xen-ts check`: devices that are not there. Servers note that the program serves; whatever else is asked
 * of a device is never answered. Runs in the guest's engine.
 */
import { type Connect, describe, type Target } from '@xen-ts/runtime'
import { programOf } from '@xen-ts/runtime/program'

/** Later (ms) than anything that is looked at. */
const LATE = 2 ** 31

/** Set by what instrument() has put before the bundle. */
declare const __xenTsMark: (text: string) => void

const forever = (): Promise<never> => new Promise(() => {})

/** A device: it is asked for things, and nothing comes back. */
function absent(path: string, more: Record<string, unknown> = {}): unknown {
  return new Proxy(() => {}, {
    get(_, key) {
      if (Object.hasOwn(more, key)) return more[key as string]
      if (key === 'then') return path.includes('.') ? () => __xenTsMark(`waits ${path}`) : undefined
      if (key === Symbol.toPrimitive) return () => path
      return typeof key === 'symbol' ? undefined : absent(`${path}.${key}`)
    },
    apply: () => absent(`${path}()`),
  })
}

const serves =
  (what: string) =>
  (options: { port: number } | number): Promise<never> => {
    __xenTsMark(`serves ${what} ${typeof options === 'number' ? options : options.port}`)
    return forever()
  }

/** Each kind that the target has. */
export const connectNothing =
  (target: Target, name: string, load: () => Promise<unknown>): Connect =>
  async ({ machine }) => {
    // Who waits for what never comes is told that nothing can: with a timer it may.
    machine.timers.set(LATE, () => {})
    const program = programOf(await load(), name)
    __xenTsMark(`graph ${describe(program, target)}`)
    const tcp = absent('stack.tcp', { listen: serves('TCP'), bind: serves('TCP') })
    const more: Record<string, Record<string, unknown>> = { http: { serve: serves('HTTP') }, stack: { tcp } }
    const provide = Object.fromEntries(
      Object.keys(target.kinds).map(kind => [
        kind,
        () => {
          __xenTsMark('connected')
          return absent(kind, more[kind])
        },
      ]),
    )
    return {
      provide,
      settings() {
        __xenTsMark('connected')
        return new Map()
      },
      started: () => __xenTsMark('started'),
    }
  }
