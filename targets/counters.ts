/**
 * What the stack has counted, for who stands outside: dom0 asks by `xl sysrq DOMAIN m`, which with Linux shows the memory too, and gets
 * a line of the console; at the end of a domain that logs `counters:debug` it comes by itself.
 */
import type { Drivers } from '@xen-ts/drivers'
import type { Lifecycle } from '@xen-ts/runtime'
import type { XenMachine } from '@xen-ts/runtime/machine'
import { describeCounters, type IpStack } from '@xen-ts/stack'

/** As libxl_send_sysrq writes it. */
const KEY = 'control/sysrq'
const SHOW_MEMORY = 'm'

/** What `memory` of the ABI (boot/abi/table.ts) is asked for, in bytes. */
const FREE = 1
const HEAP = 2
const PAGES = 3

/** `memory.free 20971520, memory.heap ..., framesIn 12, ...`: one line, everything that is not 0. */
export const counterLine = (abi: Pick<XenMachine['abi'], 'memory'>, { counters }: Pick<IpStack, 'counters'>): string =>
  describeCounters({ memory: { free: abi.memory(FREE), heap: abi.memory(HEAP), pages: abi.memory(PAGES) }, ...counters })

export interface Counting {
  readonly machine: Pick<XenMachine, 'abi' | 'log'>
  readonly xenstore: Pick<Drivers['xenstore'], 'watch' | 'tryRead' | 'write'>
  readonly lifecycle: Pick<Lifecycle, 'onEnd' | 'onShutdown'>
}

/** Tells the counters of a stack from now on, when asked and at the end. */
export function tellCounters({ machine, xenstore, lifecycle }: Counting, stack: Pick<IpStack, 'counters'>): void {
  const log = machine.log('counters')
  const look = async (): Promise<void> => {
    const untrusted = await xenstore.tryRead(KEY)
    if (untrusted !== SHOW_MEMORY) return // nothing, or a request for a Linux kernel
    log.info(counterLine(machine.abi, stack))
    // Linux takes its requests back as well: so the next one is seen as one.
    await xenstore.write(KEY, '')
  }
  const watch = xenstore.watch(KEY, () => void look().catch((error: Error) => log.debug(`${KEY}: ${error.message}`)))
  lifecycle.onShutdown('counters', () => watch.close())
  lifecycle.onEnd(() => log.debug(counterLine(machine.abi, stack)))
}
