/** The simulated Xen's functions of the ABI that touch memory only: the cases of the kernel's and of Node's hold for them as well. */
import { assert } from '@xen-ts/boot/cases'
import test from 'ava'
import { SimulatedXen } from './index.ts'
import './leak-check.ts'

Object.assign(globalThis, { __abi: new SimulatedXen().createDomain(1).abi })
const { default: all } = await import('@xen-ts/boot/memory-cases')

for (const [name, run] of Object.entries(all)) {
  test(name, async t => {
    await run(assert)
    t.pass()
  })
}
