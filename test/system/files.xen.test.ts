/** examples/files on real Xen, asked by curl in dom0: passwords, tokens, tags, compression, and a form with 10 MB. */
import { installNetworkTools } from '@xen-ts/rig/xen'
import test from 'ava'
import { XenTests } from './harness.ts'
import { vif } from './qube.ts'

const xen = new XenTests(test)
const url = `http://${vif.ip}`
const curl = (words: string) => xen.rig.must(`/opt/bin/curl -sS --max-time 240 ${words}`, { seconds: 250 })
const code = async (words: string) => (await curl(`-o /dev/null -w '%{http_code}' ${words}`)).trim()

test.serial.before('dom0 gets curl, and a file', async t => {
  t.timeout(600_000)
  await installNetworkTools(xen.rig, { log: text => t.log(text) })
  await xen.rig.must('head -c 10000000 /dev/urandom > /tmp/large.bin')
})

test.serial('what was sent by a form comes back byte by byte, to who may have it', async t => {
  const args = `ipv4=${vif.ip}/32 ipv4-gateway=${vif.gateway} password=pass`
  const running = await xen.start(t, await xen.image('../../examples/files'), { args, vif, memory: 80, seconds: 540 })
  await running.line(/listening on/)

  t.deepEqual([await code(`${url}/`), await code(`-u me:past ${url}/`), await code(`-u me:pass ${url}/`)], ['401', '401', '200'])
  t.is(await code(`-u me:pass -F file=@/tmp/large.bin ${url}/`), '303')
  t.regex(await curl(`-u me:pass ${url}/`), /<li>large\.bin, 10000000 bytes<\/li>/)

  const tag = /^etag: (\S+)/im.exec(await curl(`-u me:pass -o /dev/null -D - ${url}/`))![1]!
  t.is(await code(`-u me:pass -H 'If-None-Match: ${tag}' ${url}/`), '304')
  await xen.rig.must(`for i in $(seq 60); do echo $i > "/tmp/small file $i"; done`)
  for (let i = 1; i <= 30; i++) await curl(`-u me:pass -F 'file=@/tmp/small file ${i}' ${url}/`)
  t.regex(await curl(`-u me:pass -o /dev/null -D - -H 'Accept-Encoding: gzip' ${url}/`), /^content-encoding: gzip/im)
  t.regex(await curl(`-u me:pass --compressed ${url}/`), /<li>small file 30, 3 bytes<\/li>/)

  const token = (await curl(`-u me:pass ${url}/token`)).trim()
  t.is(await code(`${url}/files/large.bin`), '401')
  t.is(await code(`-H 'Authorization: Bearer ${token.slice(0, -2)}' ${url}/files/large.bin`), '401')
  await curl(`-o /tmp/back.bin -H 'Authorization: Bearer ${token}' ${url}/files/large.bin`)
  await xen.rig.must('cmp /tmp/large.bin /tmp/back.bin')
})
