/**
 * `--stats`: what the program's network stack has counted. The program writes it to its console: when it is asked by `xl sysrq`, as Linux is
 * for its memory, and at its end when the log has that line. Both are there on every target, need no call and no daemon, and cost
 * a program that nobody asks nothing.
 */
import type { Rig } from '@xen-ts/rig/xen'

/** The source of the line, and the signal of this process that asks for it. */
const LOG = 'counters:debug'
export const STATS_SIGNAL = 'SIGUSR2'

/** The program's arguments with the line at its end switched on. What they say of the log otherwise stays. */
export function withStats(args: readonly string[]): string[] {
  const at = args.findLastIndex(word => /^(--)?logs=/.test(word))
  return at < 0 ? [...args, `--logs=${LOG}`] : args.with(at, `${args[at]},${LOG}`)
}

/** Asks for the line at each signal. Gives the function that ends this. */
export function statsOnSignal(rig: Pick<Rig, 'exec'>, domid: number, onNote: (text: string) => void): () => void {
  const ask = () => void askForStats(rig, domid)
  process.on(STATS_SIGNAL, ask)
  onNote(`kill -USR2 ${process.pid} shows what the network stack has counted; its end does as well`)
  return () => void process.off(STATS_SIGNAL, ask)
}

/** Asks now, and gives the program a moment to answer. */
export async function askForStats(rig: Pick<Rig, 'exec'>, domid: number, moment = 0): Promise<void> {
  await rig.exec(`xl sysrq ${domid} m`).catch(() => {}) // the machine has ended
  await new Promise(resolve => setTimeout(resolve, moment))
}
