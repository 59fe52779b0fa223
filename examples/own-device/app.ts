/**
 * Says how long its machine has been up: a domain on target xen, the host on target unix.
 *
 *     npx xen-ts describe examples/own-device -t unix
 *     npx xen-ts build examples/own-device -t unix && npx node own-device.js
 */
import { unikernel } from 'xen-ts'
import { uptime } from './uptime.ts'

export default unikernel({
  name: 'own-device',
  devices: { uptime },
  start({ uptime, log }) {
    log.info(`the ${uptime.of} has been up for ${uptime.seconds().toFixed(1)} s`)
  },
})
