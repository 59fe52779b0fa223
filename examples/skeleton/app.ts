/**
 * A program that is at home in Qubes: it takes its addresses from QubesDB, checks that names are resolved and connections made through its
 * gateway, offers a service to other qubes and to dom0, and asks dom0 for the date. Runs until it is asked to shut down.
 *
 *     echo hello | npx xen-ts run skeleton.xen --call xen-ts.Echo+3      # in Qubes: qvm-run --service --pass-io skeleton xen-ts.Echo+3
 */

import { qrexec, qubesdb } from '@xen-ts/qubes'
import { arg, once, stack, unikernel } from 'xen-ts'

export default unikernel({
  name: 'skeleton',
  args: {
    host: arg.string({ default: 'www.qubes-os.org', doc: 'the name that is looked up, and connected to' }),
    port: arg.number({ default: 80, min: 1, max: 65535, integer: true, doc: 'its TCP port' }),
  },
  devices: { net: stack(), qrexec: qrexec(), db: qubesdb() },
  async start({ net, qrexec, db, args: { host, port }, log, signal }) {
    // Gives its input back; the argument, if there is one, is the exit code.
    qrexec.service('xen-ts.Echo', async call => {
      await call.stdin.pipeTo(call.stdout)
      const code = Number(call.argument)
      if (Number.isInteger(code) && code >= 0 && code <= 255) return code
      await call.stderr.write(`'${call.argument}' is no exit code: a number from 0 to 255 is\n`)
      return 1
    })

    db.watch('/vm-config/', ({ path, value }) => log.info(`${path} is ${value ?? 'gone'} now`))

    async function checkNetwork() {
      // A qube without a netvm has no network: this throws, too.
      const { address, gateway } = db.network
      log.info(`${db.name} is ${address}, its gateway ${gateway}`)
      const [found] = await net.resolve(host, { signal })
      log.info(`${host} is ${found}`)
      using socket = await net.tcp.connect({ host: found, port, timeout: 5_000, signal })
      log.info(`${socket.remoteAddress} takes connections to port ${port}`)
    }

    async function askDate() {
      const date = await qrexec.call('@default', 'qubes.GetDate').text()
      log.info(`dom0 says it is ${date.trim()}`)
    }

    await Promise.all([
      checkNetwork().catch(error => log.warn(`the network does not work: ${error.message}`)),
      askDate().catch(error => log.warn(`dom0 does not tell the date: ${error.message}`)),
    ])
    await once(signal)
  },
})
