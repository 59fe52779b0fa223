/** Forms with large files on real Xen, sent by curl in dom0: what comes back is what was sent, in a guest of little memory. */
import { installNetworkTools } from '@xen-ts/rig/xen'
import test from 'ava'
import { XenTests } from './harness.ts'
import { vif } from './qube.ts'

const xen = new XenTests(test)
const url = `http://${vif.ip}`
const curl = '/opt/bin/curl -sS --max-time 240'

test.serial.before('dom0 gets curl', async t => {
  t.timeout(600_000)
  await installNetworkTools(xen.rig, { log: text => t.log(text) })
})

test.serial('curl -F: a file of 10 MB, twice, comes back byte by byte; what is no form is refused', async t => {
  const args = `ip=${vif.ip}/32 gateway=${vif.gateway}`
  const running = await xen.start(t, await xen.image('programs/upload.ts'), { args, vif, memory: 64, seconds: 540 })
  await running.line(/INF \[upload\] ready/)
  await xen.rig.must('head -c 10000000 /dev/urandom > /tmp/large.bin')
  const [sum] = (await xen.rig.must('md5sum < /tmp/large.bin')).split(' ')
  for (const again of [1, 2]) {
    const said = await xen.rig.must(`${curl} -F 'text=a "text"' -F 'file=@/tmp/large.bin;type=application/x-large' ${url}/upload`, {
      seconds: 250,
    })
    t.deepEqual(JSON.parse(said), [
      ['text', 'a "text"'],
      ['file', 'large.bin', 'application/x-large', 10_000_000],
    ])
    const [back] = (await xen.rig.must(`${curl} ${url}/last | md5sum`, { seconds: 250 })).split(' ')
    t.is(back, sum, `time ${again}`)
  }
  t.is(
    (
      await xen.rig.must(
        `${curl} -o /dev/null -w '%{http_code}' -H 'Content-Type: multipart/form-data; boundary=a' -d nothing ${url}/upload`,
      )
    ).trim(),
    '400',
  )
  t.is(
    (await xen.rig.must(`${curl} -o /dev/null -w '%{http_code}' -F 'file=@/tmp/large.bin' -F 'more=@/tmp/large.bin' ${url}/upload || true`))
      .trim()
      .slice(-3),
    '413',
  )
  t.deepEqual(JSON.parse(await xen.rig.must(`${curl} -d 'a=1&b=+%20' ${url}/upload`)), [
    ['a', '1'],
    ['b', '  '],
  ])
})
