/** An installed tool boots what it has built: on an emulated Xen, whose helper programs it compiles, by somebody who is not root. */
import { readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { defaultCache, ensureRig } from '@xen-ts/rig/xen'
import test from 'ava'
import { Published } from './testing/published.ts'

const published = new Published(test)

test('npm create xen-ts, npm run build, npm run xen', async t => {
  t.timeout(600_000)
  const { user } = published
  // Debian's packages are not downloaded again; what is made of them is.
  await ensureRig()
  for (const folder of ['.cache', '.cache/xen-ts', '.cache/xen-ts/rig']) user.folder(folder)
  for (const name of readdirSync(defaultCache)) {
    if (name.startsWith('tree-')) symlinkSync(join(defaultCache, name), join(user.home, '.cache/xen-ts/rig', name))
  }
  const home = user.folder('projects')
  const made = await user.run(home, 'npm create xen-ts counter -- --template service && cd counter && npm install && npm run build')
  t.is(made.code, 0, made.stdout + made.stderr)
  const called = await user.run(join(home, 'counter'), 'npm run -s xen', { input: 'one two three\n' })
  t.is(called.code, 0, called.stdout + called.stderr)
  t.regex(called.stdout, /user\.CountWords \| 3\n/)
  t.regex(called.stdout + called.stderr, /making the initramfs of dom0/)
  t.deepEqual(readdirSync(join(user.home, '.cache/xen-ts/rig')).filter(name => name.startsWith('dom0-')).length, 1)
})
