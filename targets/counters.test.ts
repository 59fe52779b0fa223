/** What the stack has counted, as dom0 gets it: by a request in xenstore, at the end, and by a qrexec service. */
import { connectDrivers } from '@xen-ts/drivers'
import { SimulatedXen } from '@xen-ts/drivers/sim'
import { startAgents } from '@xen-ts/qubes'
import { MiniQubes } from '@xen-ts/rig/dom0'
import { Counters } from '@xen-ts/stack'
import { vchanChannels } from '@xen-ts/vchan'
import test from 'ava'
import { counterLine, tellCounters } from './counters.ts'
import '@xen-ts/drivers/sim/leak-check'

function setUp() {
  const xen = new SimulatedXen()
  const guest = xen.createDomain(5)
  const { machine, xenstore } = connectDrivers(guest.machine)
  const counters = new Counters()
  const ends: (() => void)[] = []
  const closers: (() => unknown)[] = []
  const lifecycle = {
    onEnd: (run: () => void) => void ends.push(run),
    onShutdown: (_: string, run: () => unknown) => void closers.push(run),
  }
  tellCounters({ machine, xenstore, lifecycle }, { counters })
  const key = '/local/domain/5/control/sysrq'
  return {
    xen,
    counters,
    end: () => {
      for (const run of [...ends, ...closers]) run()
    },
    lines: () => guest.log.filter(({ source }) => source === 'counters').map(({ level, text }) => `${level} ${text}`),
    async press(letter: string) {
      xen.store.write(key, letter)
      await xen.settle()
      return xen.store.read(key)
    },
  }
}

test('xl sysrq m: a line with memory and counters each time, and the request is taken back', async t => {
  const { xen, counters, lines, press, end } = setUp()
  await xen.settle()
  t.deepEqual(lines(), [])
  counters.framesIn = 3
  counters.dns.unasked = 1
  t.is(await press('m'), '')
  t.is(await press('m'), '')
  const memory = 'memory.free 67108864, memory.heap 67108864, memory.pages 67108864'
  t.deepEqual(lines(), Array(2).fill(`info ${memory}, framesIn 3, dns.unasked 1`))
  t.is(await press('b'), 'b')
  t.is(lines().length, 2)
  counters.framesIn = 4
  end()
  t.deepEqual(lines().slice(2), [`debug ${memory}, framesIn 4, dns.unasked 1`])
  await xen.settle()
  t.is(await press('m'), 'm') // nobody looks any more
})

test('xen-ts.Counters: a line for each, for a program with a stack only', async t => {
  const xen = new SimulatedXen()
  const [dom0, guest] = [xen.createDomain(0), xen.createDomain(5)]
  const qubes = new MiniQubes({ domid: 5, channels: vchanChannels(connectDrivers(dom0.machine)), qube: { ip: null } })
  qubes.start()
  const { machine } = guest
  const counters = new Counters()
  let stack: { counters: Counters } | undefined
  const agents = startAgents({
    machine,
    channels: vchanChannels(connectDrivers(machine)),
    counters: () => stack && counterLine(machine.abi, stack).replaceAll(', ', '\n'),
  })
  qubes.connect()
  const call = async () => {
    const { code, stdout } = await xen.run(qubes.call('xen-ts.Counters'))
    return [code, stdout.toString()]
  }
  t.deepEqual(await call(), [127, ''])
  stack = { counters }
  counters.badChecksum = 7
  const [code, text] = await call()
  t.is(code, 0)
  t.regex(String(text), /^memory\.free \d+\nmemory\.heap \d+\nmemory\.pages \d+\nbadChecksum 7$/)
  qubes.stop()
  await xen.run(agents.close())
})
