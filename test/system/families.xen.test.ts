/**
 * dom0's ordinary tools against the stack by IPv4 and IPv6: ping of every size, curl and wget both ways, ranges, compressed files,
 * WebSockets, UDP, and frames that no host should send. After each the guest answers, and its memory is what it was.
 */
import { readFileSync } from 'node:fs'
import test from 'ava'
import { bytes, gateway, gateway6, ip, ip6, mac, md5, PeerTests, url, url6 } from './peer.ts'

/** Of the fuzzer; the environment may ask for more. */
const seconds = Number(process.env.FUZZ_SECONDS ?? 5)
const seed = Number(process.env.FUZZ_SEED ?? 1)

const families = [
  { family: 4, at: ip, base: url, header: 28 },
  { family: 6, at: ip6, base: url6, header: 48 },
] as const

const xen = new PeerTests(
  test,
  `for base in ${url} ${url6}; do
    /opt/bin/curl -gsS $base/bytes/1000000 > /tmp/body; for i in 1 2; do /opt/bin/curl -gsS -T /tmp/body $base/take; /opt/bin/curl -gsS -T /tmp/body $base/echo >/dev/null; done
  done; for at in ${ip} ${ip6}; do ping -c 3 -i 0.2 -s 60000 $at; datagrams $at 7 check 1 60000; done`,
)

for (const { family, at, base, header } of families) {
  const MTU = 1500
  /** Around the edges of one packet and of two, of the header's sizes, and the most that there is. */
  const sizes = [0, 1, 8, 56, 1399, MTU - header - 1, MTU - header, MTU - header + 1, 2952, 8000, 16_384, 40_000, 65_507]
  test.serial(`ping${family} of ${sizes.join(', ')} bytes`, t =>
    xen.unharmed(t, async () => {
      for (const size of sizes) {
        const said = await xen.rig.must(`ping -${family} -c 2 -i 0.2 -s ${size} -w 20 ${at} | grep received`)
        t.regex(said, / 2 packets received/, `${size} bytes`)
      }
    }),
  )

  for (const tool of ['curl -gsS --max-time 280', 'wget -q -T 60 -O -'] as const) {
    const most = family === 6 && tool.startsWith('curl') ? 100_000_000 : 1_000_000
    test.serial(`${tool.slice(0, 4)} -${family}: bodies of 1 byte to ${most / 1e6} MB arrive whole`, t =>
      xen.unharmed(t, async () => {
        for (const length of [1, 2, 1428, 1429, 1448, 1449, 2896, 65_535, 65_536, most]) {
          const said = await xen.rig.must(`/opt/bin/${tool} -${family} ${base}/bytes/${length} | md5sum`, { seconds: 290 })
          t.is(said.split(' ')[0], md5(bytes(length)), `${length} bytes`)
        }
      }),
    )
  }

  // By IPv4 the large one.
  const largest = family === 4 ? 100_000_000 : 1_000_000
  test.serial(`curl -${family}: uploads of 1 byte to ${largest / 1e6} MB get there as they are, with a length and in chunks`, t =>
    xen.unharmed(t, async () => {
      for (const length of [1, 1440, 65_536, largest]) {
        await xen.rig.must(`/opt/bin/curl -gsS --max-time 280 ${url}/bytes/${length} > /tmp/body`, { seconds: 290 })
        const put = await xen.rig.must(`/opt/bin/curl -gsS --max-time 280 -T /tmp/body ${base}/take`, { seconds: 290 })
        t.is(put, `${length} bytes, all right\n`)
        if (length === largest) continue
        const chunked = await xen.rig.must(`/opt/bin/curl -gsS --max-time 60 -T - ${base}/take < /tmp/body`, { seconds: 70 })
        t.is(chunked, `${length} bytes, all right\n`)
      }
      await xen.rig.must('rm /tmp/body')
    }),
  )

  test.serial(`UDP over IPv${family}: datagrams of every size come back, and a port where nobody is says so`, t =>
    xen.unharmed(t, async () => {
      const lengths = [0, 1, 60, MTU - header - 1, MTU - header, MTU - header + 1, 8000, 40_000, 65_507, ...(family === 6 ? [65_527] : [])]
      t.is((await xen.rig.must(`datagrams ${at} 7 check ${lengths.join(' ')}`, { seconds: 90 })).trim(), lengths.join(' '))
      t.is(await xen.rig.must(`datagrams ${at} 4242 refused`), 'Connection refused\n')
    }),
  )
}

const guide = readFileSync(new URL('../../docs/debugging.md', import.meta.url))

test.serial('curl: a range, a download that goes on where it ended, and a file that came compressed', t =>
  xen.unharmed(t, async () => {
    const page = `${url6}/debugging.md`
    const part = await xen.rig.must(`/opt/bin/curl -gsS -r 1000-1999 -w '%{http_code}' ${page} | md5sum`)
    t.is(part.split(' ')[0], md5(Buffer.concat([guide.subarray(1000, 2000), Buffer.from('206')])))
    const resumed = `/opt/bin/curl -gsS ${page} | head -c 3000 > /tmp/guide; /opt/bin/curl -gsS -C - -o /tmp/guide -w '%{http_code} %{size_download} ' ${page}; md5sum < /tmp/guide`
    t.is(await xen.rig.must(resumed), `206 ${guide.length - 3000} ${md5(guide)}  -\n`)
    const beyond = await xen.rig.must(`/opt/bin/curl -gsS -o /dev/null -r ${guide.length}- -w '%{http_code}' ${page}`)
    t.is(beyond, '416')
    const said = await xen.rig.must(
      `/opt/bin/curl -gsS --compressed -D /tmp/head -w '%{size_download} ' -o /tmp/guide ${page}; md5sum < /tmp/guide; cat /tmp/head`,
    )
    const [, size, sum] = /^(\d+) (\w+) /.exec(said)!
    t.is(sum, md5(guide))
    t.true(Number(size) < guide.length / 2, size)
    t.regex(said, /^content-encoding: (gzip|br)\r$/im)
  }),
)

test.serial('WebSockets: text and bytes to 300,000 come back, and both sides close in good order', t => {
  const body = async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${await xen.rig.forward(0, ip, 80)}/socket`)
    socket.binaryType = 'arraybuffer'
    const next = (type: 'open' | 'message' | 'close') =>
      new Promise<Event>((resolve, reject) => {
        socket.addEventListener(type, resolve, { once: true })
        socket.addEventListener('error', () => reject(new Error(`WebSocket: an error in place of ${type}`)), { once: true })
      })
    const echo = async (data: string | Buffer<ArrayBuffer>) => {
      const answer = next('message')
      socket.send(data)
      return ((await answer) as MessageEvent).data
    }
    await next('open')
    t.is(await echo('grüße'), 'grüße')
    for (const length of [0, 1, 125, 126, 65_535, 65_536, 300_000]) {
      const sent = Buffer.from(bytes(length))
      t.is(md5(Buffer.from((await echo(sent)) as ArrayBuffer)), md5(sent), `${length} bytes`)
    }
    const closed = next('close')
    socket.close(1000, 'enough')
    const { code, wasClean } = (await closed) as CloseEvent
    t.deepEqual({ code, wasClean }, { code: 1000, wasClean: true })
  }
  // RFC 6455 section 7.1.1: the server closes the connection.
  return xen.unharmed(t, body, [], 1)
})

test.serial('frames that no host should send, for some seconds: the guest answers by both families', t => {
  const body = async () => {
    const sent = await xen.rig.must(`fuzz-frames ${xen.vif} ${mac} ${ip} ${gateway} ${ip6} ${gateway6} ${seconds} ${seed}`, {
      seconds: seconds + 60,
    })
    t.log(`${sent.trim()} frames, seed ${seed}`)
    t.true(Number(sent) > 1_000, sent)
    for (const { at, base } of families) {
      t.is(await xen.rig.must(`/opt/bin/curl -gsS --max-time 60 ${base}/bytes/100 | md5sum`, { seconds: 70 }), `${md5(bytes(100))}  -\n`)
      t.is((await xen.rig.must(`datagrams ${at} 7 check 60 3000`)).trim(), '60 3000')
    }
  }
  return xen.unharmed(t, body, ['malformed', 'badChecksum', 'noRoute'])
})

test.serial('at the end: no error, and a clean shutdown', t => xen.ends(t, /is also used by|says that it has our address/))
