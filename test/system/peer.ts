/** The program peer.ts as a guest that dom0's tools meet, and what is seen of it: whatever they do, it is afterwards what it was before. */
import { createHash } from 'node:crypto'
import { installNetworkTools } from '@xen-ts/rig/xen'
import type { ExecutionContext, TestFn } from 'ava'
import type { Running } from './harness.ts'
import { XenTests } from './harness.ts'

export const ip = '10.137.0.16'
export const ip6 = 'fd00:7::16'
export const gateway = '10.137.0.1'
export const gateway6 = 'fd00:7::1'
export const mac = '00:16:3e:5e:6c:16'
export const url = `http://${ip}`
export const url6 = `http://[${ip6}]`

export interface State {
  readonly memory: { readonly free: number; readonly heap: number; readonly pages: number }
  readonly connections: number
  readonly counters: Readonly<Record<string, number>>
}

/** What programs/peer.ts sends under /bytes/LENGTH. */
export function bytes(length: number): Buffer {
  const period = 65_521
  return Buffer.alloc(
    length,
    Uint8Array.from({ length: period }, (_, i) => (i * 167 + ((i >>> 8) ^ 0x5a)) & 255),
  )
}
export const md5 = (content: Buffer): string => createHash('md5').update(content).digest('hex')

/** Bytes that the guest's memory may differ by afterwards. */
const SLACK = 256 * 1024
/** Counters that stand for a fault of one of the two. */
const faults = ['malformed', 'badChecksum', 'noRoute']

export class PeerTests extends XenTests {
  running!: Running

  /** Registers, beyond the rig's, the guest's start and end with ava. `warmUp`: what dom0 does first, so that all that is made once is made. */
  constructor(test: TestFn, warmUp: string) {
    super(test)
    test.serial.before('a guest runs, and dom0 has its tools', async t => {
      t.timeout(600_000)
      await installNetworkTools(this.rig, { log: text => t.log(text) })
      this.running = await this.start(t, await this.image('programs/peer.ts'), {
        args: `ip=${ip}/24 gateway=${gateway} ip6=${ip6}/64 gateway6=${gateway6}`,
        vif: { ip, gateway, ip6, gateway6, mac },
        memory: 64,
        keep: true,
        seconds: 2_400,
      })
      await this.running.line(/listening on/)
      await this.rig.must(warmUp, { seconds: 200 })
    })
    test.after.always('the guest ends', async () => {
      await this.running?.domain.destroy()
    })
  }

  /** Of dom0. */
  get vif(): string {
    return `vif${this.running.domain.domid}.0`
  }

  async state(): Promise<State> {
    return JSON.parse(await this.rig.must(`/opt/bin/curl -sS --max-time 30 ${url}/state`))
  }

  /**
   * Runs `body`, and then sees that the guest is what it was.
   * @param allowed those of the faults that `body` may cause
   * @param timeWait so many connections the guest closed first, as it had to: nobody need wait the minute that they last
   */
  async unharmed(t: ExecutionContext, body: () => Promise<unknown>, allowed: readonly string[] = [], timeWait = 0): Promise<void> {
    t.timeout(300_000)
    const before = await this.state()
    await body()
    let after = await this.state()
    const most = before.connections + timeWait
    // The last connections end; TIME-WAIT, which a guest that closed first is in, lasts a minute.
    for (let i = 0; i < 90 && after.connections > most; i++) {
      await new Promise(resolve => setTimeout(resolve, 1_000))
      after = await this.state()
    }
    t.true(after.connections <= most, `connections: ${before.connections} before, ${after.connections} after`)
    const { heap, pages } = after.memory
    const counted = Object.keys(after.counters).filter(name => after.counters[name] !== before.counters[name])
    t.log(counted.map(name => `${name} ${after.counters[name] - before.counters[name]}`).join(', '))
    t.log(`heap ${(heap - before.memory.heap) / 1024} KiB, pages ${(pages - before.memory.pages) / 1024} KiB more`)
    t.true(heap - before.memory.heap <= SLACK, `heap: ${before.memory.heap} before, ${heap} after`)
    t.true(pages - before.memory.pages <= SLACK, `pages: ${before.memory.pages} before, ${pages} after`)
    t.deepEqual(
      faults.filter(name => counted.includes(name) && !allowed.includes(name)),
      [],
    )
  }

  /** The program's last test: it shuts down as it should, and nobody has complained. @param expected of what it may have */
  async ends(t: ExecutionContext, expected?: RegExp): Promise<void> {
    t.timeout(60_000)
    await this.running.domain.shutdown()
    const { reason, lines } = await this.running.ended
    t.is(reason, 'poweroff', lines.slice(-20).join('\n'))
    t.deepEqual(
      lines.filter(line => / (ERR|WRN) /.test(line) && expected?.test(line) !== true),
      [],
    )
  }
}
