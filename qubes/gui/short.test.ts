/** Windows where grants or memory run out: what was shown stays, and grows when there is room again. */
import { words } from '@xen-ts/rig/dom0'
import test from 'ava'
import { setUp } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

const CONFIGURE = 134

for (const [what, limit] of [
  ['grants', 'maxGrantFrames'],
  ['memory', 'freePages'],
] as const) {
  test(`a size that the user wants and for which there are no ${what}: answered, said once, the picture stays; it grows when there are`, async t => {
    const { xen, guest, gui, daemon, ready, finish, free } = setUp()
    const window = gui.window({ title: 'x', width: 256, height: 256 }) // 64 pages
    const sizes: unknown[] = []
    window.on('resize', size => sizes.push(size))
    await ready()
    window.fill(0x111111)
    await xen.advance(100)
    const seen = daemon.windows.get(1)!
    const before = guest[limit]
    if (what === 'grants') guest.maxGrantFrames = 1
    else guest.freePages = 100
    await xen.run(daemon.resize(1, 1024, 450)) // 450 pages: more than the rest
    await xen.run(daemon.resize(1, 1024, 480))
    await xen.advance(5000)
    t.deepEqual([window.width, window.height, seen.width, seen.height], [256, 256, 1024, 480])
    t.is(guest.log.filter(({ level }) => level === 'warn').length, 1)
    t.regex(guest.log.find(({ level }) => level === 'warn')!.text, /window 1 cannot become 1024x450/)
    window.fill(0x222222)
    await xen.advance(100)
    t.deepEqual([seen.image?.width, seen.picture.readUInt32LE(0), sizes.length], [256, 0x222222, 0])
    t.is(daemon.minor, 7)
    if (what === 'grants') guest.maxGrantFrames = before
    else guest.freePages += free
    await xen.advance(2000)
    t.deepEqual(sizes, [{ width: 1024, height: 480 }])
    t.deepEqual([window.width, window.height, seen.image?.width, seen.image?.height], [1024, 480, 1024, 480])
    t.is(seen.picture.readUInt32LE(0), 0x222222)
    if (what === 'memory') guest.freePages -= free
    await finish()
    t.is(guest.freePages, what === 'memory' ? guest.freePages : free)
  })
}

for (const what of ['grants', 'memory']) {
  test(`a program that resizes without end, with few ${what}: the picture that the daemon has stays until the next is told`, async t => {
    const { xen, guest, gui, daemon, ready, finish } = setUp()
    const window = gui.window({ title: 'x', width: 256, height: 64 })
    window.fill(0x111111)
    if (what === 'grants') {
      gui.window({ title: 'filler', width: 1024, height: 450 })
      guest.maxGrantFrames = 1
    } else guest.freePages = 40
    await ready()
    await xen.advance(100)
    const seen = daemon.windows.get(1)!
    // As the real one, which maps an image when it shows it.
    let lost = 0
    const paint = seen.paint.bind(seen)
    seen.paint = async body => {
      if (seen.image!.refs.some(ref => (new Uint16Array(guest.grantTableFrames[ref >>> 9])[(ref & 511) * 4] & 1) === 0)) lost++
      return paint(body)
    }
    let refused = 0
    for (let n = 1; n <= 500; n++) {
      try {
        window.resize(256 + (n % 50), 64 + (n % 3))
      } catch {
        refused++
      }
      window.fill(n)
      if (n % 5 === 0) await xen.settle()
    }
    await xen.advance(1000)
    t.is(lost, 0)
    t.true(refused < 500)
    t.is(seen.picture.readUInt32LE(0), 500)
    t.deepEqual([seen.image?.width, seen.image?.height], [window.width, window.height])
    await finish()
  })
}

test('no grants for a window at all: it is told as soon as there are, others are shown meanwhile', async t => {
  const { xen, guest, gui, daemon, ready, finish } = setUp()
  const small = gui.window({ title: 'small', width: 64, height: 16 })
  gui.window({ title: 'large', width: 1024, height: 512 }) // 512 pages
  guest.maxGrantFrames = 1
  await ready()
  await xen.advance(3000)
  t.deepEqual(
    [...daemon.windows.values()].map(({ title }) => title),
    ['small'],
  )
  small.fill(7)
  t.throws(() => gui.window({ title: 'another', width: 1024, height: 512 }), { name: 'XenError', message: /no_space/ })
  guest.maxGrantFrames = 4
  await xen.advance(2000)
  t.deepEqual(
    [...daemon.windows.values()].map(({ title }) => title),
    ['small', 'large'],
  )
  t.is(guest.log.filter(({ level }) => level === 'warn' || level === 'error').length, 1)
  await xen.run(daemon.send(CONFIGURE, 1, words(0, 0, 32, 8, 0)))
  await xen.advance(100)
  t.is(small.width, 32)
  await finish()
})
