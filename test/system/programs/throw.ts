// Fails in one of the ways in which programs fail; `how` says which. The lines of the throws are part of the test.
import { arg, unikernel } from 'xen-ts'

function fail(how: string): never {
  throw new Error(`failed by ${how}`)
}

async function lost(): Promise<void> {
  await null
  fail('lost promise')
}

export default unikernel({
  name: 'throw',
  args: { how: arg.string({ default: 'start', doc: 'start, timer, lost or microtask' }) },
  async start({ args }) {
    if (args.how === 'timer') setTimeout(() => fail('timer'), 10)
    else if (args.how === 'lost') void lost()
    else if (args.how === 'microtask') queueMicrotask(() => fail('microtask'))
    else fail('start')
    await new Promise(resolve => setTimeout(resolve, 1000))
  },
})
