/** Target xen with DHCP and DNS from dnsmasq in dom0, on the vif: lease, names, renewal, and what happens without the server. */
import { installNetworkTools } from '@xen-ts/rig/xen'
import test from 'ava'
import { type Running, XenTests } from './harness.ts'

const xen = new XenTests(test)
const server = '10.138.7.1'
const leased = '10.138.7.50'
const other = '10.138.7.51'
/** 3,600 bytes: more than a datagram with EDNS is asked to hold. */
const longText = Array.from({ length: 18 }, (_, i) => String.fromCharCode(97 + i).repeat(200))

test.serial.before('dom0 gets dnsmasq', async t => {
  t.timeout(600_000)
  await installNetworkTools(xen.rig, { log: text => t.log(text) })
})

/** dnsmasq as DHCP and DNS server on the vif of a guest. `T1`: seconds after which a lease is to be renewed. */
async function startDnsmasq({ domain }: Running, address = leased): Promise<void> {
  const options = [
    '--conf-file=/dev/null --user=root --group=root --pid-file=/run/dnsmasq.pid --dhcp-leasefile=/run/leases --log-facility=/run/dnsmasq.log',
    `--interface=vif${domain.domid}.0 --except-interface=lo --bind-interfaces --no-hosts --no-resolv --domain=lan --local=/lan/`,
    `--dhcp-range=${address},${address},255.255.255.0,2m --dhcp-option=option:T1,12 --dhcp-authoritative --no-ping --log-dhcp --log-queries`,
    '--host-record=www.lan,10.138.7.9,2001:db8::9 --cname=alias.lan,www.lan --cname=second.lan,alias.lan',
    "--srv-host=_http._tcp.lan,www.lan,8080,1,2 --srv-host=_http._tcp.lan,lookup.lan,80,0,2 --txt-record=text.lan,'one text',' in two parts'",
    `--txt-record=long.lan,${longText.join(',')} --neg-ttl=60 --local-ttl=60`,
  ]
  await xen.rig.must(`rm -f /run/leases /run/dnsmasq.log
    ip addr show dev vif${domain.domid}.0 | grep -q ${server} || ip addr add ${server}/24 dev vif${domain.domid}.0
    echo nameserver ${server} > /etc/resolv.conf
    /opt/bin/dnsmasq ${options.join(' ')}`)
}

const stopDnsmasq = () => xen.rig.must('kill $(cat /run/dnsmasq.pid); while [ -e /run/dnsmasq.pid ]; do usleep 50000; done')
const log = () => xen.rig.must('cat /run/dnsmasq.log')

async function logged(pattern: RegExp, seconds = 60): Promise<string> {
  for (let i = 0; i < seconds * 2; i++) {
    const text = await log()
    if (pattern.test(text)) return text
    await new Promise(resolve => setTimeout(resolve, 500))
  }
  throw new Error(`dnsmasq did not log ${pattern}:\n${await log()}`)
}

/** GET from dom0 by name, with curl. Its status, and the text. */
async function get(path: string, host = 'lookup.lan'): Promise<string> {
  return (await xen.rig.must(`/opt/bin/curl -sS --max-time 40 -w '%{http_code}' 'http://${host}/${path}'`)).replace(/\n(\d+)$/, ' [$1]')
}

let running: Running

test.serial.before('a guest starts with dhcp', async t => {
  running = await xen.start(t, await xen.image('../../examples/lookup'), {
    args: 'dhcp names=www.lan,_http._tcp.lan:SRV,nobody.lan',
    vif: { ip: leased },
    paused: true,
    keep: true,
    seconds: 480,
  })
  await startDnsmasq(running)
  await running.domain.unpause()
})
test.after.always('the guest ends', async () => {
  await running?.domain.destroy()
})

test.serial('it gets a lease, the server hears its name, and it looks up what the command line asks for', async t => {
  t.timeout(120_000)
  await running.line(/\[dhcp\] DHCP server 10\.138\.7\.1 leases 10\.138\.7\.50 for 120 s/)
  await running.line(/\[stack\] the network was changed: 10\.138\.7\.50\/24 via 10\.138\.7\.1, DNS 10\.138\.7\.1/)
  await running.line(/INF \[lookup\] www\.lan has address 10\.138\.7\.9$/)
  await running.line(/INF \[lookup\] _http\._tcp\.lan SRV 0 2 80 lookup\.lan$/)
  await running.line(/INF \[lookup\] _http\._tcp\.lan SRV 1 2 8080 www\.lan$/)
  await running.line(/WRN \[lookup\] cannot resolve nobody\.lan \(A\), says DNS server 10\.138\.7\.1: there is no such name/)
  t.regex(await xen.rig.must('cat /run/leases'), / 10\.138\.7\.50 lookup /)
})

for (const [what, path, answer] of [
  ['A', 'www.lan?type=A', 'www.lan 60 A 10.138.7.9 [200]'],
  ['AAAA', 'www.lan?type=AAAA', 'www.lan 60 AAAA 2001:db8::9 [200]'],
  ['an alias of an alias', 'second.lan?type=A', 'www.lan 60 A 10.138.7.9 [200]'],
  ['CNAME', 'alias.lan?type=CNAME', 'alias.lan 60 CNAME www.lan [200]'],
  ['SRV', '_http._tcp.lan?type=SRV', '_http._tcp.lan SRV 0 2 80 lookup.lan\n_http._tcp.lan SRV 1 2 8080 www.lan [200]'],
  ['TXT', 'text.lan?type=TXT', 'text.lan TXT "one text in two parts" [200]'],
  ['TXT over TCP', 'long.lan?type=TXT', `long.lan TXT "${longText.join('')}" [200]`],
  ['PTR', '10.138.7.9?type=PTR', '10.138.7.9 PTR www.lan [200]'],
  ['its own name', 'lookup.lan', `lookup.lan has address ${leased} [200]`],
  ['no such name', 'nobody.lan', /^ENOTFOUND: cannot resolve nobody\.lan \(A\), says DNS server 10\.138\.7\.1: .* \[404\]$/],
  ['no such record', 'text.lan?type=SRV', /^ENODATA: .*text\.lan.* \[404\]$/],
  ['refused', 'www.example.org', /^EREFUSED: .*www\.example\.org.* \[502\]$/],
  ['no name', 'a..b', /^EBADNAME: .* \[502\]$/],
] as const) {
  test.serial(`reached by the name of its lease, it looks up: ${what}`, async t => {
    t.timeout(120_000)
    const said = await get(path)
    if (typeof answer === 'string') t.is(said, answer)
    else t.regex(said, answer)
  })
}

test.serial('the long answer came truncated first, and then over TCP', async t => {
  t.regex(await log(), /query\[TXT\] long\.lan[^]*query\[TXT\] long\.lan/)
})

test.serial('the lease is renewed with its server at the time that it names, and nothing of it is seen', async t => {
  t.timeout(120_000)
  const text = await logged(/DHCPACK[^]*DHCPREQUEST[^]*DHCPACK/)
  t.notRegex(text, /DHCPNAK|DHCPDECLINE/)
  t.is(running.lines.filter(line => line.includes('the network was changed')).length, 1)
})

test.serial('without the server what is known stays, and what is not is an error that says who did not answer', async t => {
  t.timeout(120_000)
  await stopDnsmasq()
  t.is(await get('www.lan?type=A', leased), 'www.lan 60 A 10.138.7.9 [200]')
  t.regex(await get('other.lan', leased), /^(ESERVFAIL|ETIMEOUT): .*other\.lan.*10\.138\.7\.1.* \[502\]$/)
  await startDnsmasq(running)
})

test.serial('200 names at once, of which none exists, on 50 connections', async t => {
  t.timeout(120_000)
  const answers = await xen.rig.must(`/opt/bin/curl -s -Z --parallel-max 50 --max-time 60 'http://${leased}/n[1-200].lan?type=A'`, {
    seconds: 100,
  })
  t.is(new Set(answers.match(/ENOTFOUND: cannot resolve n\d+\.lan/g)).size, 200)
})

test.serial('after a checkpoint the lease is confirmed, and connections go on', async t => {
  t.timeout(120_000)
  const requests = async () => (await log()).match(/DHCPREQUEST\(/g)?.length ?? 0
  const before = await requests()
  await running.domain.checkpoint()
  for (let i = 0; i < 20 && (await requests()) === before; i++) await new Promise(resolve => setTimeout(resolve, 250))
  t.true((await requests()) > before)
  t.is(await get('www.lan?type=A'), 'www.lan 60 A 10.138.7.9 [200]')
  t.is(running.lines.filter(line => line.includes('the network was changed')).length, 1)
})

test.serial('a server that refuses the lease: the address is given up at once, and the next one taken, under the same name', async t => {
  t.timeout(120_000)
  await stopDnsmasq()
  await startDnsmasq(running, other)
  await running.line(/WRN \[dhcp\] the address is lost: DHCP server 10\.138\.7\.1 says that it is not ours any more/)
  await running.line(/\[dhcp\] DHCP server 10\.138\.7\.1 leases 10\.138\.7\.51 for 120 s/)
  t.is(await get('lookup.lan'), `lookup.lan has address ${other} [200]`)
})

test.serial('at its end it gives the lease back', async t => {
  t.timeout(120_000)
  await running.domain.shutdown()
  const { reason, lines } = await running.ended
  t.is(reason, 'poweroff', lines.slice(-20).join('\n'))
  await logged(/DHCPRELEASE/)
  t.notRegex(await xen.rig.must('cat /run/leases'), /lookup/)
  t.deepEqual(
    lines.filter(line => / (ERR|WRN) /.test(line) && !/nobody\.lan|the address is lost/.test(line)),
    [],
  )
})
