/**
 * dom0's tools against the stack, over Linux netback, beyond what families.xen.test.ts has: nc; a bad link; crowds, storms and floods.
 * After each the guest answers, holds no connection any more, and its memory is what it was.
 */
import test, { type ExecutionContext } from 'ava'
import { bytes, ip, md5, PeerTests, url } from './peer.ts'

const MIB = 1 << 20
const xen = new PeerTests(
  test,
  `crowd ${ip} 80 1000 at-once; /opt/bin/curl -s ${url}/bytes/1000000 | tee /tmp/body | md5sum
  cat /tmp/body /tmp/body | head -c ${MIB} > /tmp/most; for i in 1 2 3; do /opt/bin/curl -s --data-binary @/tmp/most ${url}/echo | md5sum; done`,
)
const unharmed = xen.unharmed.bind(xen)

const download = (length: number) => `/opt/bin/curl -sS --max-time 280 ${url}/bytes/${length} | md5sum`

test.serial('curl: bodies of 1 byte to 1 MiB come back as they were sent', t =>
  unharmed(t, async () => {
    for (const length of [1, 1460, 65_536, MIB]) {
      const script = `head -c ${length} /dev/urandom > /tmp/body; md5sum < /tmp/body; /opt/bin/curl -sS --max-time 60 --data-binary @/tmp/body ${url}/echo | md5sum`
      const [sent, back] = (await xen.rig.must(script, { seconds: 100 })).trim().split('\n')
      t.is(back, sent, `${length} bytes`)
    }
  }),
)

/** nc does not read while it writes: with more than all buffers hold the two would wait for each other. */
const echo = (length: number) =>
  `head -c ${length} /dev/urandom > /tmp/body; md5sum < /tmp/body; nc ${ip} 7 < /tmp/body | md5sum; rm /tmp/body`
async function echoes(t: ExecutionContext, ...lengths: number[]): Promise<void> {
  for (const length of lengths) {
    const [sent, back] = (await xen.rig.must(echo(length), { seconds: 290 })).trim().split('\n')
    t.is(back, sent, `${length} bytes`)
  }
}

test.serial('nc: up to 300,000 bytes there and back again on one connection, half closed at the end', t =>
  unharmed(t, () => echoes(t, 1, 1461, 65_536, 300_000)),
)

test.serial('nc: 1 byte to 1 MB get there as they are', t =>
  unharmed(t, async () => {
    for (const length of [1, 1461, 1_000_000]) {
      const script = `/opt/bin/curl -sS ${url}/bytes/${length} > /tmp/body && nc ${ip} 9 < /tmp/body; rm /tmp/body`
      t.is((await xen.rig.must(script, { seconds: 280 })).trim(), `${length} bytes, all right`)
    }
  }),
)

/** Runs `body` while the link is bad in both directions: what leaves the guest goes through a device that netem delays. */
async function onBadLink(netem: string, body: () => Promise<unknown>): Promise<void> {
  await xen.rig.must(`set -e
    /opt/bin/tc qdisc add dev ${xen.vif} root netem ${netem}
    ip link set ifb0 up
    /opt/bin/tc qdisc add dev ifb0 root netem ${netem}
    /opt/bin/tc qdisc add dev ${xen.vif} handle ffff: ingress
    /opt/bin/tc filter add dev ${xen.vif} parent ffff: matchall action mirred egress redirect dev ifb0`)
  try {
    await body()
  } finally {
    await xen.rig.must(
      `/opt/bin/tc qdisc del dev ${xen.vif} root; /opt/bin/tc qdisc del dev ${xen.vif} ingress; /opt/bin/tc qdisc del dev ifb0 root`,
    )
  }
}

for (const netem of ['loss 5%', 'delay 5ms reorder 25% 50%', 'duplicate 5%', 'delay 2ms 1ms loss 5% duplicate 5%', 'corrupt 1%']) {
  test.serial(`netem ${netem}, both ways: nothing is lost`, t => {
    const body = async () => {
      await onBadLink(netem, async () => {
        for (const length of [1, 1461, 300_000])
          t.is((await xen.rig.must(download(length), { seconds: 290 })).split(' ')[0], md5(bytes(length)), `${length} bytes`)
        await echoes(t, 300_000)
      })
    }
    return unharmed(t, body, netem.includes('corrupt') ? ['malformed', 'badChecksum'] : [])
  })
}

test.serial('1,000 connections at once: all are open, and all are answered', t =>
  unharmed(t, async () => t.is((await xen.rig.must(`crowd ${ip} 80 1000 at-once`, { seconds: 250 })).trim(), '1000 1000')),
)

test.serial('a storm of 3,000 connections that ask nothing, a third of them reset', t =>
  unharmed(t, async () => t.is((await xen.rig.must(`crowd ${ip} 80 3000 storm`, { seconds: 250 })).trim(), '3000')),
)

/** Ten requests one after the other, each on a connection of its own. How many were answered in 20 s. */
const legitimate = `answered=0; for i in 1 2 3 4 5 6 7 8 9 10; do
  [ "$(/opt/bin/curl -sS --max-time 20 ${url}/bytes/100 | md5sum)" = "${md5(bytes(100))}  -" ] && answered=$((answered + 1)); done; echo $answered`

test.serial('300 clients that send a byte a second, and one that is served meanwhile; the slow ones are told to go', t =>
  unharmed(t, async () => {
    const slow = xen.rig.must(`crowd ${ip} 80 300 slow 14`, { seconds: 200 })
    await new Promise(resolve => setTimeout(resolve, 3_000))
    t.is((await xen.rig.must(legitimate, { seconds: 250 })).trim(), '10')
    t.is((await slow).trim(), '300 300')
  }),
)

test.serial('a flood of SYNs from everywhere, and one client that is served meanwhile', t => {
  const body = async () => {
    const { counters } = await xen.state()
    const flood = xen.rig.must(`syn-flood ${xen.vif} 10.137.0.0 ${ip} 80 15`, { seconds: 100 })
    await new Promise(resolve => setTimeout(resolve, 1_000))
    t.is((await xen.rig.must(legitimate, { seconds: 250 })).trim(), '10')
    const sent = Number(await flood)
    t.true(sent > 1_000, String(sent))
    t.true((await xen.state()).counters.tcpSynCookies > counters.tcpSynCookies)
  }
  // Some of the addresses are on the link, and nobody has them.
  return unharmed(t, body, ['noRoute'])
})

test.serial('at the end: no warning, no error, and a clean shutdown', t => xen.ends(t))
