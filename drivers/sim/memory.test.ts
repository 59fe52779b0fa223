import test, { type ExecutionContext } from 'ava'
import { EventChannels } from '../event-channel.ts'
import { GrantTable } from '../grant-table.ts'
import { ForeignPages, SharedPages } from '../shared-pages.ts'
import { SimulatedXen } from './index.ts'
import './leak-check.ts'

const setUp = (t: ExecutionContext) => {
  const xen = new SimulatedXen()
  const owner = xen.createDomain(1)
  const user = xen.createDomain(2)
  const pages = new SharedPages(owner.machine, new GrantTable(owner.machine), 1, 2, false, 'test')
  const foreign = new ForeignPages(user.machine, 1, pages.refs, false, 'test')
  t.teardown(() => {
    foreign.release()
    pages.release()
  })
  return { xen, owner, user, pages, foreign }
}

test('a store is seen by the other side once both have ordered their accesses, and not before', t => {
  const { owner, user, pages, foreign } = setUp(t)
  pages.bytes[5] = 77
  t.is(foreign.bytes[5], 0)
  owner.abi.fence()
  user.abi.fence()
  t.is(foreign.bytes[5], 77)
})

test('stores of both sides to neighbouring bytes of one word are both kept', t => {
  const { owner, user, pages, foreign } = setUp(t)
  pages.bytes[20] = 1
  foreign.bytes[21] = 2
  owner.abi.fence()
  user.abi.fence()
  for (const view of [pages.bytes, foreign.bytes]) t.deepEqual([...view.subarray(20, 22)], [1, 2])
})

test('atomic operations of both sides add up', t => {
  const { owner, user, pages, foreign } = setUp(t)
  t.is(owner.abi.or8(pages.bytes, 9, 1), 0)
  t.is(user.abi.or8(foreign.bytes, 9, 2), 1)
  t.is(owner.abi.and8(pages.bytes, 9, 0xfe), 3)
  t.is(user.abi.and8(foreign.bytes, 9, 0), 2)
})

test('an event makes what was stored before it visible', async t => {
  const { xen, owner, user, pages, foreign } = setUp(t)
  let seen = 0
  const server = new EventChannels(owner.machine).allocUnbound(2, 'test', () => {})
  const client = new EventChannels(user.machine).bindInterdomain(1, server.port, 'test', () => {
    seen = foreign.bytes[0]
  })
  pages.bytes[0] = 3
  server.notify()
  await xen.settle()
  t.is(seen, 3)
  client.close()
  server.close()
})

test('writing to a page mapped read-only is a page fault, and so is writing where nothing is mapped', t => {
  const { owner, user, pages } = setUp(t)
  const readonly = new ForeignPages(user.machine, 1, pages.refs, true, 'test')
  readonly.bytes[7] = 1
  t.throws(() => owner.abi.fence(), { message: /page fault.*read-only/ })
  readonly.bytes[7] = 0
  readonly.release()
  const reserved = new Uint8Array(user.abi.pagesReserve(1) as ArrayBuffer)
  reserved[0] = 1
  t.throws(() => user.abi.pagesFree(reserved), { message: /page fault/ })
  reserved.fill(0xee)
  t.is(user.abi.pagesFree(reserved), 0)
})

test('freed pages cannot be used any more, nor freed while a grant gives them away', t => {
  const { owner } = setUp(t)
  const grants = new GrantTable(owner.machine)
  const bytes = new Uint8Array(owner.abi.pagesAlloc(1) as ArrayBuffer)
  const ref = grants.grant(2, owner.abi.pageFrame(bytes, 0), false, 'test')
  t.throws(() => owner.abi.pagesFree(bytes), { message: /which grant \d+ still gives away/ })
  t.true(grants.revoke(ref))
  t.is(owner.abi.pagesFree(bytes), 0)
  t.is(bytes.length, 0)
})

test('arguments are checked as the kernel does', t => {
  const { owner, pages } = setUp(t)
  const { abi } = owner
  t.throws(() => abi.copy(pages.bytes, 4090, pages.bytes, 0, 10), { instanceOf: RangeError })
  t.throws(() => abi.copy(pages.bytes, 0, pages.bytes, -1, 10), { instanceOf: RangeError })
  t.throws(() => abi.or8(pages.bytes, 4096, 1), { instanceOf: RangeError })
  t.throws(() => abi.compareExchange16(pages.bytes, 1, 0, 0), { instanceOf: RangeError })
  t.throws(() => abi.pageFrame(pages.bytes, 1), { instanceOf: RangeError })
  t.throws(() => abi.pagesFree(pages.bytes.subarray(1)), { instanceOf: RangeError })
  t.throws(() => abi.checksum([1, 2] as unknown as Uint8Array, 0, 2, 0), { instanceOf: TypeError })
})

test('text and checksum do what the kernel does', t => {
  const { abi } = setUp(t).owner
  const into = new Uint8Array(16)
  t.is(abi.utf8Encode('aé€😀', into, 1), 10)
  t.is(abi.utf8Decode(into, 1, 10), 'aé€😀')
  t.is(abi.utf8Encode('aé€😀', into, 7), -10)
  t.is(abi.utf8Decode(Uint8Array.of(0x61, 0xff, 0xc3, 0, 0x62), 0, 5), 'a\ufffd\ufffd')
  t.is(abi.latin1Decode(Uint8Array.of(0x61, 0xe9, 0, 0x62), 0, 4), 'aé')
  t.is(abi.checksum(Uint8Array.of(0x01, 0x02, 0xff, 0xff, 0x05), 0, 5, 0xfffe), 0x0205)
})
