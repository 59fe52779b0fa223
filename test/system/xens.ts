/** The tests that stand closest to hypervisor, toolstack and dom0's Linux, on each Xen that `npm test` leaves out: npm run test:xens. */
import { spawnSync } from 'node:child_process'
import { chooseRelease, releases } from '@xen-ts/rig/xen'

const usage = 'usage: npm run test:xens [-- VERSION ...]   on these; without any, on all but the one that npm test uses'

/** The rest stands on these: what they show of a Xen holds for it too. */
const files = [
  'boot/kernel/kernel.xen.test.ts',
  'rig/xen/rig.xen.test.ts',
  ...['kernel', 'drivers', 'netfront', 'suspend'].map(name => `test/system/${name}.xen.test.ts`),
]

function testOn(xen: string): boolean {
  console.log(`\nXen ${xen}`)
  const start = performance.now()
  const { status } = spawnSync('ava', ['--concurrency', '1', '--timeout', '10m', ...files], {
    stdio: 'inherit',
    env: { ...process.env, XEN_TS_XEN: xen },
  })
  console.log(`Xen ${xen}: ${status === 0 ? 'passed' : 'failed'} after ${((performance.now() - start) / 1000).toFixed(0)} s`)
  return status === 0
}

try {
  const asked = process.argv.slice(2).map(word => chooseRelease(word))
  const usual = chooseRelease()
  const chosen = asked.length > 0 ? asked : releases.filter(release => release !== usual)
  const passed = chosen.map(({ xen }) => testOn(xen))
  process.exitCode = passed.every(Boolean) ? 0 : 1
} catch (error) {
  console.error(`${(error as Error).message}\n${usage}`)
  process.exitCode = 2
}
