/** IPv6 on real Xen: Linux's own tools in dom0, through netback, as the netvm of a qube and as the neighbour of a plain domain. */
import { createHash } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { XenTests } from './harness.ts'
import { startQube, vif } from './qube.ts'

const xen = new XenTests(test)
const ip6 = 'fd09:24ef:4179::a89:10'
/** Of the vif in a Linux netvm, by its MAC address. */
const gateway6 = 'fe80::fcff:ffff:feff:ffff'
const big = new Uint8Array(5_000_000).map((_, i) => (i * 31) >>> 7)

/** What a Linux neighbour asks of the program at `address`. */
async function use(t: ExecutionContext, address: string, dom0: string): Promise<void> {
  const { rig } = xen
  t.log((await rig.must(`ping -6 -c 3 ${address}`)).split('\n').at(-2))
  for (const size of [1232, 1452, 1453, 20_000, 60_000]) t.regex(await rig.must(`ping -6 -c 2 -s ${size} ${address}`), / 0% packet loss/)
  t.is(await rig.must(`wget -q -O - 'http://[${address}]/a'`), `hello from http://[${address}]/a\n`)
  const sum = createHash('sha256').update(big).digest('hex')
  t.is(await rig.must(`wget -q -O - 'http://[${address}]/big' | tee /tmp/big | sha256sum | cut -d' ' -f1`), `${sum}\n`)
  await rig.must('head -c 900000 /tmp/big > /tmp/part')
  t.is(await rig.must(`wget -q -O - --post-file /tmp/part 'http://[${address}]/'`), '900000 bytes')
  t.is((await rig.exec(`nc -w 5 ${address} 81 < /dev/null`)).code, 1)
  await rig.must('(nc -l -p 4000 < /tmp/big > /dev/null 2>&1 &) ; sleep 1')
  t.is(await rig.must(`wget -q -O - 'http://[${address}]/connect?host=${dom0}'`), `5000000 bytes from ${dom0}\n`)
}

test.serial('a qube with the feature ipv6: /128, and the gateway at the address of the vif', async t => {
  const qube = await startQube(xen, t, 'programs/ipv6.ts', { seconds: 300, vif: { ...vif, ip6, gateway6 } })
  await qube.line(/\[stack\] 10\.137\.0\.16\/32 via 10\.137\.0\.1, fd09:24ef:4179::a89:10\/128 via fe80::fcff:ffff:feff:ffff, DNS/)
  await qube.line(/reached at fd09:24ef:4179::a89:10\/128/)
  await qube.line(/listening on http:\/\/10\.137\.0\.16\/ and http:\/\/\[fd09:24ef:4179::a89:10\]\//)
  await use(t, ip6, gateway6)
  t.is(await xen.rig.must(`wget -q -O - 'http://10.137.0.16/a'`), 'hello from http://10.137.0.16/a\n')
  await qube.domain.shutdown()
  const { reason, lines } = await qube.ended
  t.is(reason, 'poweroff', lines.join('\n'))
  t.deepEqual(
    lines.filter(line => / (WRN|ERR) /.test(line)),
    [],
  )
})

test.serial('target xen: an address of the command line in a /64, without IPv4', async t => {
  const image = await xen.image('programs/ipv6.ts')
  const running = await xen.start(t, image, {
    args: 'ip6=fd00::2/64 gateway6=fd00::1',
    vif: { ip: '10.137.0.17', ip6: 'fd00::2', gateway6: 'fd00::1' },
    seconds: 300,
  })
  await running.line(/listening on http:\/\/\[fd00::2\]\//)
  await use(t, 'fd00::2', 'fd00::1')
  await running.domain.shutdown()
  t.is((await running.ended).reason, 'poweroff')
})
