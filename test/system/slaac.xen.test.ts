/** Target xen with dnsmasq as the router of its link: addresses, gateway and name server that it advertises, and a prefix that is given up. */
import { installNetworkTools } from '@xen-ts/rig/xen'
import test from 'ava'
import { type Running, XenTests } from './harness.ts'

const xen = new XenTests(test)
/** What is made of the MAC address. */
const id = '216:3eff:fe5e:6c18'
const [first, second] = ['fd00:1::', 'fd00:2::'] as const
const own = (prefix: string) => `${prefix}${id}`

let running: Running

/** @param ranges as dnsmasq's --dhcp-range has them */
async function startRouter(...ranges: string[]): Promise<void> {
  const vif = `vif${running.domain.domid}.0`
  const options = [
    `--conf-file=/dev/null --user=root --group=root --pid-file=/run/dnsmasq.pid --log-facility=/run/dnsmasq.log --interface=${vif} --except-interface=lo`,
    `--bind-dynamic --no-hosts --no-resolv --local=/lan/ --host-record=www.lan,2001:db8::9 --enable-ra --ra-param=${vif},4,600`,
    ...ranges.map(range => `--dhcp-range=${range}`),
  ]
  await xen.rig.must(`[ ! -e /run/dnsmasq.pid ] || kill $(cat /run/dnsmasq.pid); while [ -e /run/dnsmasq.pid ]; do usleep 50000; done
    echo 0 > /proc/sys/net/ipv6/conf/${vif}/accept_dad
    for prefix in ${first} ${second}; do ip -6 addr show dev ${vif} | grep -q $prefix || ip -6 addr add \${prefix}1/64 dev ${vif}; done
    /opt/bin/dnsmasq ${options.join(' ')}`)
}

const ask = (path: string, address = own(first)) => xen.rig.must(`/opt/bin/curl -gsS --max-time 40 'http://[${address}]/${path}'`)

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 120; i++) {
    if (await isSo()) return
    await new Promise(resolve => setTimeout(resolve, 500))
  }
  throw new Error(`not within a minute: ${what}\n${await xen.rig.must('cat /run/dnsmasq.log')}`)
}

test.serial.before('a guest starts beside a router', async t => {
  t.timeout(600_000)
  await installNetworkTools(xen.rig, { log: text => t.log(text) })
  await xen.rig.must('(nc -ll -p 4000 -e /bin/true > /dev/null 2>&1 &)')
  running = await xen.start(t, await xen.image('programs/autoconfigured.ts'), {
    args: 'ip6=auto',
    vif: { ip: '10.137.0.18', mac: '00:16:3e:5e:6c:18' },
    paused: true,
    keep: true,
    seconds: 400,
  })
  await startRouter(`${first},ra-only,64,3h`)
  await running.domain.unpause()
})
test.after.always('the guest ends', async () => {
  await running?.domain.destroy()
})

test.serial('it takes the address and the name server of the advertisement, and is reached', async t => {
  t.timeout(120_000)
  t.log(await running.line(/\[stack\] the network was changed: IPv6 of a router, fd00:1::216:3eff:fe5e:6c18/))
  await running.line(/listening on http:\/\/\[fd00:1::216:3eff:fe5e:6c18\]\//)
  t.is(await ask('addresses'), `${own(first)}/64\n`)
  t.is(await ask('resolve?host=www.lan'), '2001:db8::9\n')
})

test.serial('what is not on the link goes through the router', async t => {
  t.timeout(120_000)
  await xen.rig.must('ip -6 addr add fd00:9::9/128 dev lo')
  t.is(await ask('connect?host=fd00:9::9'), `from ${own(first)} to fd00:9::9\n`)
})

test.serial('another prefix: new connections come from its address, and the deprecated one still answers', async t => {
  t.timeout(180_000)
  await startRouter(`${first},ra-only,64,deprecated`, `${second},ra-only,64,3h`)
  await until('an address of the second prefix', async () => (await ask('addresses')).includes(own(second)))
  await until('connections from the new address', async () => (await ask('connect?host=fd00:9::9')).startsWith(`from ${own(second)} `))
  t.is(await ask('addresses', own(second)), `${own(second)}/64\n${own(first)}/64\n`)
  t.regex(await ask('connect?host=fd00:2::1'), /^from fd00:2::216:3eff:fe5e:6c18 to fd00:2::1$/m)
})

test.serial('a clean shutdown, and nothing to warn of', async t => {
  t.timeout(60_000)
  await running.domain.shutdown()
  const { reason, lines } = await running.ended
  t.is(reason, 'poweroff', lines.slice(-20).join('\n'))
  t.deepEqual(
    lines.filter(line => / (ERR|WRN) /.test(line)),
    [],
  )
})
