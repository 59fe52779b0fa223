/** Reads and writes without a promise. */
import { Cancel } from '@xen-ts/drivers/channel'
import test from 'ava'
import { ChannelClosedError } from './index.ts'
import { end, equal, open, pattern, setUp } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

test('tryWrite writes all or nothing, in order with writes that wait', async t => {
  const set = setUp()
  const [a, b] = await open(set)
  t.true(b.tryWrite(pattern(3000)))
  t.false(b.tryWrite(pattern(1097)))
  t.true(b.tryWrite(pattern(1096, 3000)))
  t.false(b.tryWrite(pattern(1)))
  t.true(b.tryWrite(new Uint8Array(0)))
  const waiting = b.write(pattern(2000, 7))
  await set.xen.settle()
  t.true(equal(a.tryRead(4000), Uint8Array.from([...pattern(3000), ...pattern(1096, 3000).subarray(0, 1000)])))
  t.false(b.tryWrite(pattern(1)), 'there is room, and somebody before')
  t.true(equal(await set.xen.run(a.readExactly(96)), pattern(1096, 3000).subarray(1000)))
  t.true(equal(await set.xen.run(a.readExactly(2000)), pattern(2000, 7)))
  await set.xen.run(waiting)
  t.true(b.tryWrite(pattern(1)))
  await end(set.xen, a, b)
})

test('tryRead gives what there is, if that is enough; readable waits for it, and for the end', async t => {
  const set = setUp()
  const [a, b] = await open(set)
  t.is(a.tryRead(), undefined)
  let isReadable = 0
  const counted = (): number => isReadable++
  void a.readable().then(counted)
  await set.xen.settle()
  t.is(isReadable, 0)
  b.tryWrite(pattern(5))
  await set.xen.settle()
  t.is(isReadable, 1)
  t.is(a.tryRead(100, 6), undefined)
  void a.readable().then(counted)
  await set.xen.settle()
  t.is(isReadable, 2, 'nothing was taken')
  t.true(equal(a.tryRead(100, 5), pattern(5)))
  // One after the other: who comes first waits for more than there is.
  const exact = a.readExactly(10)
  void a.readable().then(counted)
  b.tryWrite(pattern(9))
  await set.xen.settle()
  t.is(a.tryRead(), undefined, 'somebody waits for it')
  t.is(isReadable, 2)
  b.tryWrite(pattern(3, 9))
  t.true(equal(await set.xen.run(exact), pattern(10)))
  await set.xen.settle()
  t.is(isReadable, 3)
  t.true(equal(a.tryRead(), pattern(2, 10)))
  void a.readable().then(counted)
  b.close()
  await set.xen.settle()
  t.deepEqual([isReadable, a.tryRead(), a.tryWrite(pattern(1)), await a.read()], [4, undefined, false, undefined])
  await t.throwsAsync(a.write(pattern(1)), { instanceOf: ChannelClosedError })
  await end(set.xen, a, b)
  t.deepEqual([a.tryRead(), a.tryWrite(pattern(1))], [undefined, false])
  await a.readable()
})

test('a turn is not for one channel alone: then nothing more goes at once, and the rest in the next', async t => {
  const set = setUp()
  const [a, b] = await open(set, 65536, 65536)
  let written = 0
  while (b.tryWrite(pattern(1, written))) written++
  t.is(written, 256)
  await set.xen.run(b.write(pattern(1, written++)))
  t.true(b.tryWrite(pattern(1, written++)))
  await set.xen.settle()
  t.is(a.tryRead()?.length, written)
  await end(set.xen, a, b)
})

test('whenReadable and whenClosed call back once, and never in the call; what is there is said at once', async t => {
  const set = setUp()
  const [a, b] = await open(set)
  let calls = 0
  let closes = 0
  t.false(a.whenReadable(() => calls++))
  a.whenClosed(() => closes++)
  t.is(calls, 0)
  await set.xen.run(b.write(Uint8Array.of(7)))
  await set.xen.settle()
  t.is(calls, 1)
  t.true(a.whenReadable(() => calls++))
  t.deepEqual(a.tryRead(), Uint8Array.of(7))
  t.is(closes, 0)
  b.close()
  await set.xen.settle()
  t.true(
    a.whenReadable(() => calls++),
    'an end is nothing to wait for',
  )
  t.deepEqual([calls, closes], [1, 1])
  await end(set.xen, a, b)
})

test('a client that is given up by a Cancel rejects with its reason, and leaves nothing', async t => {
  const { xen, client } = setUp()
  const cancel = new Cancel()
  const connecting = client.channels.connect(1, 600, { cancel })
  await xen.settle()
  cancel.cancel(new Error('enough'))
  cancel.cancel(new Error('more'))
  await t.throwsAsync(xen.run(connecting), { message: 'enough' })
  await end(xen)
})
