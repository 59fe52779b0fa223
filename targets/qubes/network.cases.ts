/** Following the network in the guest's engine; network.test.ts does it against a whole dom0. */
import { cases } from '@xen-ts/boot/cases'
import type { Log } from '@xen-ts/runtime/machine'
import { followNetwork } from './network.ts'

export default cases({
  'the stack follows the keys of the network, once for all of them': t => {
    const lines: string[] = []
    const write = (text: string): void => {
      lines.push(text)
    }
    const log: Log = { app: write, error: write, warn: write, info: write, debug: write }
    const pauses: (() => void)[] = []
    const timers = {
      now: () => 0,
      set(_: number, run: () => void) {
        pauses.push(run)
        return { cancel() {} }
      },
    }
    const keys: Record<string, string> = { '/qubes-ip': '10.137.0.16', '/qubes-gateway': '10.137.0.1' }
    const watches = new Map<string, (change: { path: string; value: string | undefined }) => void>()
    const db = {
      get hasNetwork() {
        return keys['/qubes-ip'] !== undefined
      },
      get network() {
        const gateway = keys['/qubes-gateway']
        if (!/^[\d.]+$/.test(gateway)) throw new Error(`${gateway} is not an address`)
        return {
          address: keys['/qubes-ip'],
          netmask: '255.255.255.255',
          gateway,
          dns: [],
          mac: undefined,
          address6: undefined,
          gateway6: undefined,
        }
      },
      watch(path: string, handler: (change: { path: string; value: string | undefined }) => void) {
        watches.set(path, handler)
        return () => {
          watches.delete(path)
        }
      },
    }
    const seen: unknown[] = []
    const change = (path: string, value: string): void => {
      keys[path] = value
      watches.get(path)!({ path, value })
    }
    const end = followNetwork({
      db,
      timers,
      log,
      stack: {
        configure: config => {
          seen.push(config?.gateway)
        },
      },
    })
    change('/qubes-gateway', '10.137.0.8')
    change('/qubes-primary-dns', '10.139.1.1')
    t.is(pauses.length, 1)
    pauses.shift()!()
    change('/qubes-gateway', 'nonsense')
    pauses.shift()!()
    delete keys['/qubes-ip']
    watches.get('/qubes-ip')!({ path: '/qubes-ip', value: undefined })
    pauses.shift()!()
    t.deepEqual(seen, ['10.137.0.1', '10.137.0.8', undefined])
    t.deepEqual(lines, ['nonsense is not an address'])
    end()
    t.is(watches.size, 0)
  },
})
