// node rig/bochs/prepare.ts: makes what an Intel machine needs, and says how far it is; the tests then start at once.
import { defaultCache, ensureRig } from '../xen/dom0.ts'
import { RigError } from '../xen/errors.ts'
import { timedLog } from '../xen/run.ts'
import { prepareBochs } from './bochs.ts'

const log = timedLog()
try {
  await prepareBochs(await ensureRig({ log }), defaultCache, log)
} catch (error) {
  console.error(error instanceof RigError ? `error: ${error.message}` : error)
  process.exitCode = 2
}
