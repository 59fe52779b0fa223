/** A program that does more with its windows than the daemon takes. */
import test from 'ava'
import { setUp } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

/** A daemon that stops reading at the next picture of window 1, until told to go on. */
async function stalled() {
  const set = setUp()
  const { xen, gui, daemon, ready } = set
  const window = gui.window({ title: 'first', width: 64, height: 16 })
  await ready()
  await xen.advance(100)
  const seen = daemon.windows.get(1)!
  const paint = seen.paint.bind(seen)
  const held = Promise.withResolvers<void>()
  seen.paint = body => held.promise.then(() => paint(body))
  window.damage()
  await xen.advance(100)
  return { ...set, window, seen, goOn: held.resolve }
}

test('titles, cursors, flags and sizes that replace each other are told as one, and only one size has memory', async t => {
  const { xen, gui, daemon, guest, window, seen, finish, goOn, free } = await stalled()
  let messages = 0
  const before = guest.freePages
  let least = Infinity
  const until = daemon.until.bind(daemon)
  void until(() => {
    messages++
    return false
  })
  for (let n = 1; n <= 3000; n++) {
    window.setTitle(`title ${n}`)
    window.setCursor(n % 2 === 0 ? 'text' : 'pointer')
    window.setFullscreen(n % 2 === 1)
    window.resize(64 + (n % 100), 16 + (n % 10))
    if (n % 7 === 0) await xen.settle()
    least = Math.min(least, guest.freePages)
  }
  window.resize(640, 480)
  window.fill(0x123456)
  t.true(before - least <= 6, `${before - least} pages`)
  messages = 0
  goOn()
  await xen.advance(1000)
  t.true(messages < 200, `${messages} messages`)
  t.deepEqual([seen.title, seen.cursor, seen.flags, seen.width, seen.height], ['title 3000', 0x198, 0, 640, 480])
  t.deepEqual([seen.image?.width, seen.image?.height, seen.picture.readUInt32LE(479 * 640 * 4)], [640, 480, 0x123456])
  t.is(gui.screen?.width, 1920)
  await finish()
  t.is(guest.freePages, free)
})

test('windows that were closed before the daemon had time for them are not told', async t => {
  const { xen, gui, daemon, guest, finish, goOn, free } = await stalled()
  const before = guest.freePages
  for (let n = 0; n < 500; n++) {
    const window = gui.window({ title: `${n}`, width: 64, height: 64 })
    if (n % 3 === 0) await xen.settle()
    window.close()
  }
  const last = gui.window({ title: 'last', width: 64, height: 64 })
  // What was told before the ring was full, in messages of some 400 bytes, has its pages until the daemon says that it is gone.
  t.true(before - guest.freePages <= 12 * 4, `${before - guest.freePages} pages`)
  goOn()
  await xen.advance(1000)
  t.deepEqual(
    [...daemon.windows.values()].map(({ title }) => title),
    ['first', 'last'],
  )
  last.close()
  await xen.advance(1000)
  t.is(daemon.windows.size, 1)
  await finish()
  t.is(guest.freePages, free)
})

test('a wish and its opposite before it was told are nothing', async t => {
  const { xen, window, daemon, finish, goOn } = await stalled()
  const flags: number[] = []
  const seen = daemon.windows.get(1)!
  const setFlags = seen.setFlags.bind(seen)
  seen.setFlags = body => {
    flags.push(body.readUInt32LE(0), body.readUInt32LE(4))
    return setFlags(body)
  }
  window.setAttention(true)
  window.setFullscreen(true)
  window.setAttention(false)
  goOn()
  await xen.advance(100)
  t.deepEqual(flags, [1, 0])
  window.setFullscreen(false)
  window.setAttention(true)
  await xen.advance(100)
  t.deepEqual(flags, [1, 0, 2, 1])
  await finish()
})

test('frame() waits for the daemon: a program that awaits it is never more than a ring ahead, and the loop goes on meanwhile', async t => {
  const { xen, guest, window, finish, goOn } = await stalled()
  let frames = 0
  let turns = 0
  const drawing = (async () => {
    while (!window.closed && frames < 1000) {
      window.fill(frames++)
      await window.frame()
    }
    await window.frame()
  })()
  const turn = (): void => {
    if (turns++ < 2000) guest.machine.timers.set(1, turn)
  }
  turn()
  await xen.advance(500)
  const inRing = Math.ceil(4096 / 28) + 3
  t.true(frames > 10 && frames <= inRing, `${frames} frames`)
  t.true(turns > 400)
  goOn()
  await xen.advance(3000)
  t.is(frames, 1000)
  await drawing
  await finish()
})

test('frame() tells at once while the daemon has room: no turn of the event loop and no timer for each picture', async t => {
  const { xen, guest, gui, daemon, ready, finish } = setUp()
  const window = gui.window({ title: 'first', width: 64, height: 16 })
  await ready()
  await xen.advance(100)
  const { timers } = guest.machine
  const set = timers.set.bind(timers)
  let timersSet = 0
  timers.set = (...args) => {
    timersSet++
    return set(...args)
  }
  const seen = daemon.windows.get(1)!
  let pictures = 0
  const paint = seen.paint.bind(seen)
  seen.paint = body => {
    pictures++
    return paint(body)
  }
  await (async () => {
    for (let n = 0; n < 100; n++) {
      window.fill(n)
      await window.frame()
    }
  })()
  t.true(timersSet <= 4, `${timersSet} timers`)
  await xen.advance(100)
  t.is(pictures, 100)
  timers.set = set
  await finish()
})

test('a program that awaits frame() all the time leaves the turn to others after two milliseconds', async t => {
  const { xen, guest, gui, ready, finish } = setUp()
  const window = gui.window({ title: 'first', width: 64, height: 16 })
  await ready()
  await xen.advance(100)
  const { timers } = guest.machine
  const now = timers.now.bind(timers)
  let later = 0
  timers.now = () => now() + (later += 0.7)
  let turns = 0
  timers.set(0, () => turns++)
  let frames = 0
  const drawing = (async () => {
    for (; frames < 12; frames++) {
      window.fill(frames)
      await window.frame()
    }
  })()
  for (let n = 0; n < 50; n++) await Promise.resolve()
  t.is(turns, 0)
  t.true(frames > 0 && frames < 6, `${frames} frames`)
  await xen.run(drawing)
  t.is(turns, 1)
  timers.now = now
  await finish()
})

test('frame() of a window that nobody shows waits for a daemon; one of a closed window does not', async t => {
  const { xen, gui, ready, finish } = setUp()
  const window = gui.window({ title: 'x', width: 64, height: 16 })
  const other = gui.window({ title: 'y', width: 64, height: 16 })
  const done: string[] = []
  void window.frame().then(() => done.push('frame'))
  void other.frame().then(() => done.push('closed'))
  other.close()
  await other.frame()
  await Promise.resolve()
  t.deepEqual(done, ['closed'])
  await ready()
  await xen.advance(100)
  t.deepEqual(done, ['closed', 'frame'])
  await finish()
})
