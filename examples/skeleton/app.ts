/**
 * A program that is at home in Qubes: it takes its addresses from QubesDB, offers a service to other qubes and to dom0, asks dom0 for the
 * date, and says whether its gateway answers. Runs until it is asked to shut down.
 *
 *     echo hello | xen-ts run skeleton.xen --call xen-ts.Echo+3      # in Qubes: qvm-run --service --pass-io skeleton xen-ts.Echo+3
 */

import { qrexec, qubesdb } from '@xen-ts/qubes'
import { once, stack, unikernel } from 'xen-ts'

export default unikernel({
  name: 'skeleton',
  devices: { net: stack(), qrexec: qrexec(), db: qubesdb() },
  async start({ net, qrexec, db, log, signal }) {
    // Gives its input back; the argument, if there is one, is the exit code.
    qrexec.service('xen-ts.Echo', async call => {
      await call.stdin.pipeTo(call.stdout)
      const code = Number(call.argument)
      if (Number.isInteger(code) && code >= 0 && code <= 255) return code
      await call.stderr.write(`'${call.argument}' is no exit code: a number from 0 to 255 is\n`)
      return 1
    })

    db.watch('/vm-config/', ({ path, value }) => log.info(`${path} is ${value ?? 'gone'} now`))

    try {
      // A qube without a netvm has no network: this throws, too.
      const { address, gateway } = db.network
      log.info(`${db.name} is ${address}, its gateway ${gateway}`)
      using socket = await net.tcp.connect({ host: gateway, port: 53, timeout: 5_000 })
      log.info(`${socket.remoteAddress} takes connections to its name server`)
    } catch (error) {
      log.warn(`no name server on the gateway: ${(error as Error).message}`)
    }

    try {
      const date = await qrexec.call('@default', 'qubes.GetDate').text()
      log.info(`dom0 says it is ${date.trim()}`)
    } catch (error) {
      log.warn(`dom0 does not tell the date: ${(error as Error).message}`)
    }
    await once(signal)
  },
})
