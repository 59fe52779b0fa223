/** fetch on real Xen: from a server of Linux in dom0, on both targets; by IPv6 and by name. */
import { captureInterface, installNetworkTools } from '@xen-ts/rig/xen'
import test from 'ava'
import { XenTests } from './harness.ts'
import { startQube, vif } from './qube.ts'

const xen = new XenTests(test)
const base = 'http://10.137.0.1:8080'

test.serial.before('dom0 serves pages, and has names', async t => {
  t.timeout(600_000)
  await installNetworkTools(xen.rig, { log: text => t.log(text) })
  await xen.rig.must('mkdir -p /tmp/www && echo hello >/tmp/www/index.html && seq 1 300000 >/tmp/www/big')
  await xen.rig.spawn('exec httpd -f -vv -p 8080 -h /tmp/www 2>/tmp/www.log')
})

test.serial('target xen: pages, large ones whole and as streams, and what fails says why', async t => {
  const args = `ip=${vif.ip}/32 gateway=${vif.gateway} base=${base}`
  const { lines, reason } = await xen.run(t, 'programs/fetch.ts', { args, vif, memory: 64, seconds: 240 })
  t.is(reason, 'poweroff', lines.join('\n'))
  const said = lines.flatMap(line => / INF \[fetches\] (.*)/.exec(line)?.[1] ?? [])
  t.deepEqual(said.slice(0, 4), ['whole: 1988895 bytes, right', 'stream: 1988895 bytes, right', 'pages: 30 of 30', 'missing: 404'])
  t.regex(said[4], /^ECONNREFUSED: fetch of http:\/\/10\.137\.0\.1:9\/ failed: .*10\.137\.0\.1:9.* refused/)
  t.regex(said[5], /^EPROTONOSUPPORT: .*https is not there yet/)
})

test.serial('target qubes: the example fetches a page twenty times, and ends', async t => {
  const qube = await startQube(xen, t, '../../examples/fetch', { args: `url=${base}/index.html times=20`, seconds: 120 })
  await qube.line(/\[fetch\] http:\/\/10\.137\.0\.1:8080\/index\.html: 200 OK, text\/html, 6 bytes/)
  t.log(await qube.line(/\[fetch\] 20 times, 120 bytes in \d+ ms/))
  t.is((await qube.ended).reason, 'poweroff')
})

/** Not addresses of a site (fc00::/7): those come after IPv4 (RFC 6724 section 2.1). */
const gateway6 = '2001:db8:7::1'
/** Nobody is behind the first, and nobody says so; of the second the router says that there is no way. */
const [silent, unreachable] = ['2001:db8:dead::1', '2001:db8:bad::1']

test.serial('by IPv6 and by name: IPv6 first, and IPv4 where nobody answers there', async t => {
  const names = [
    `--host-record=six.lan,${gateway6} --host-record=four.lan,${vif.gateway} --host-record=both.lan,${vif.gateway},${gateway6}`,
    `--host-record=silent.lan,${vif.gateway},${silent} --host-record=unreachable.lan,${vif.gateway},${unreachable}`,
    `--host-record=alone.lan,${unreachable} --cname=alias.lan,both.lan`,
  ]
  await xen.rig.must(`echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
    ip -6 route add blackhole 2001:db8:dead::/64; ip -6 route add unreachable 2001:db8:bad::/64
    /opt/bin/dnsmasq --conf-file=/dev/null --user=root --group=root --no-hosts --no-resolv --local=/lan/ ${names.join(' ')}`)
  const hosts = [
    `[${gateway6}]`,
    'six.lan',
    'four.lan',
    'both.lan',
    'alias.lan',
    'silent.lan',
    'unreachable.lan',
    'alone.lan',
    'nobody.lan',
  ]
  const urls = hosts.map(host => `http://${host}:8080/index.html`)
  const running = await xen.start(t, await xen.image('programs/fetch-names.ts'), {
    args: `ip=${vif.ip}/32 gateway=${vif.gateway} ip6=2001:db8:7::16/64 gateway6=${gateway6} dns=${vif.gateway} urls=${urls.join()}`,
    vif: { ...vif, ip6: '2001:db8:7::16', gateway6 },
    paused: true,
    seconds: 240,
  })
  /** Whom the guest has asked for a connection by IPv6. */
  const asked = new Set<string>()
  const wire = await captureInterface(xen.rig, `vif${running.domain.domid}.0`, ({ inbound, bytes }) => {
    const isSyn = bytes.length > 67 && bytes[12] === 0x86 && bytes[20] === 6 && (bytes[67] & 0x12) === 2
    if (inbound && isSyn) asked.add(Buffer.from(bytes.subarray(38, 54)).toString('hex'))
  })
  await running.domain.unpause()
  const { lines, reason } = await running.ended
  t.is(reason, 'poweroff', lines.join('\n'))
  const said = lines.flatMap(line => / INF \[names\] http:\/\/(.*?):8080\/index.html (.*)/.exec(line)?.slice(1).join(' ') ?? [])
  t.deepEqual(
    said.slice(0, 7),
    hosts.slice(0, 7).map(host => `${host} 200 hello`),
  )
  t.regex(said[7], /^alone\.lan EHOSTUNREACH: fetch of http:\/\/alone\.lan:8080\/index\.html failed: .*2001:db8:bad::1/)
  t.regex(said[8], /^nobody\.lan ENOTFOUND: fetch of .*nobody\.lan/)
  await wire.ended
  for (const address of ['20010db8dead', '20010db80bad'])
    t.true(
      [...asked].some(each => each.startsWith(address)),
      `${[...asked]}`,
    )
  // Who came to the server, in the order of the names.
  const clients = (await xen.rig.must('cat /tmp/www.log')).match(/^\[[^\]]+\]:\d+: url:\/index.html/gm)!.slice(-7)
  t.deepEqual(
    clients.map(line => (line.includes('2001:db8:7::16') ? 6 : 4)),
    [6, 6, 4, 6, 6, 4, 4],
    clients.join('\n'),
  )
})
