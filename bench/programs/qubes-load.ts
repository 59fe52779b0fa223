/**
 * What bench/qubes.ts measures from dom0: `bench.Echo` gives its input back, `bench.Draw+WHAT.SECONDS` draws into a window as fast as
 * it can, `bench.Count` tells how often functions of the kernel were called since it was asked last, `bench.Work` how many ms some
 * work without Xen takes.
 */
import { qrexec, screen, type Window } from '@xen-ts/qubes'
import type { Machine } from '@xen-ts/runtime/machine'
import { device, once, unikernel } from 'xen-ts'
import { work } from './work.ts'

const WIDTH = 1920,
  HEIGHT = 1080,
  SQUARE = 64

const counted = [
  'wait',
  'evtchnSend',
  'evtchnAllocUnbound',
  'evtchnBindInterdomain',
  'evtchnClose',
  'evtchnStatus',
  'grantMap',
  'grantUnmap',
  'copy',
  'or8',
  'and8',
]

const machine = device({ name: 'machine', connect: (_needs, { machine }) => machine })

export default unikernel({
  name: 'qubes-load',
  devices: { qrexec: qrexec(), screen: screen(), machine },
  async start({ qrexec, screen, machine: { abi, timers }, signal }) {
    let window: Window | undefined
    qrexec.service('bench.Echo', ({ stdin, stdout }) => stdin.pipeTo(stdout))
    qrexec.service('bench.Draw', async ({ argument, stdout }) => {
      const [what, seconds] = argument.split('.')
      window ??= screen.window({ title: 'bench', width: WIDTH, height: HEIGHT })
      let frames = 0
      for (const end = timers.now() + Number(seconds) * 1000; timers.now() < end; frames++) {
        step(window, what!, frames)
        await window.frame()
      }
      await stdout.write(String(frames))
    })
    const counts = new Map<string, number>()
    let counting = false
    qrexec.service('bench.Count', async ({ stdout }) => {
      if (!counting) count(abi, counts)
      counting = true
      await stdout.write(JSON.stringify(Object.fromEntries([...counts].map(([name, value]) => [name, Math.round(value)]))))
      counts.clear()
    })
    qrexec.service('bench.Work', async ({ stdout }) => {
      let least = Infinity
      for (let run = 0; run < 5; run++) {
        const start = timers.now()
        work()
        least = Math.min(least, timers.now() - start)
      }
      await stdout.write(least.toFixed(3))
    })
    await once(signal)
  },
})

/** @param what `fill` draws all of the picture, `small` a square, `damage` only says that it was drawn */
function step(window: Window, what: string, frame: number): void {
  const colour = (0x204060 + frame) & 0xffffff
  if (what === 'fill') window.fill(colour)
  else if (what === 'small') window.fill(colour, (frame * SQUARE) % (WIDTH - SQUARE), 0, SQUARE, SQUARE)
  else window.damage()
}

/** From the first call on: the counting itself costs something. `name` is the number of calls, `name ms` the time in them. */
function count(abi: Machine['abi'], counts: Map<string, number>): void {
  const functions = abi as unknown as Record<string, (...args: unknown[]) => unknown>
  const add = (name: string, value: number): unknown => counts.set(name, (counts.get(name) ?? 0) + value)
  for (const name of counted) {
    const original = functions[name]!
    functions[name] = (...args) => {
      const start = abi.clockMonotonic()
      const result = original(...args)
      add(`${name} ms`, abi.clockMonotonic() - start)
      add(name, 1)
      return result
    }
  }
}
