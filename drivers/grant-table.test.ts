import test from 'ava'
import { XenError } from './errno.ts'
import { GrantTable } from './grant-table.ts'
import { ForeignPages, SharedPages } from './shared-pages.ts'
import { grantCopy, SimulatedXen } from './sim/index.ts'
import './sim/leak-check.ts'

const setUp = () => {
  const xen = new SimulatedXen()
  const owner = xen.createDomain(1)
  const user = xen.createDomain(2)
  const grants = new GrantTable(owner.machine)
  return {
    xen,
    owner,
    user,
    grants,
    share: (count: number, readonly = false) => new SharedPages(owner.machine, grants, count, 2, readonly, 'test'),
  }
}

test('shared pages start zeroed, are seen by the domain they were granted to, in the order of the references', t => {
  const { xen, owner, user, share } = setUp()
  const pages = share(3)
  t.true(pages.bytes.every(byte => byte === 0))
  t.deepEqual(pages.refs, [8, 9, 10]) // 0..7 are the toolstack's
  const foreign = new ForeignPages(user.machine, 1, [pages.refs[2], pages.refs[0]], false, 'test')
  const seen = new Uint8Array(1)
  owner.abi.copy(pages.bytes, 2 * 4096 + 5, Uint8Array.of(77), 0, 1)
  user.abi.copy(seen, 0, foreign.bytes, 5, 1)
  t.is(seen[0], 77)
  user.abi.copy(foreign.bytes, 4096 + 9, Uint8Array.of(88), 0, 1)
  owner.abi.copy(seen, 0, pages.bytes, 9, 1)
  t.is(seen[0], 88)
  foreign.release()
  pages.release()
  xen.assertNoLeaks()
})

test('a page the peer still holds is kept until it lets go, then zeroed and freed', async t => {
  const { xen, owner, user, grants, share } = setUp()
  const free = owner.freePages
  const pages = share(2)
  const foreign = new ForeignPages(user.machine, 1, pages.refs, false, 'test')
  pages.release()
  pages.release() // twice is once
  await xen.advance(5000)
  t.is(owner.freePages, free - 2)
  t.deepEqual(grants.list(), ['test: 2 grants (8 9), 2 still held by the peer'])
  foreign.release()
  await xen.advance(2000)
  t.is(owner.freePages, free)
  t.deepEqual(grants.list(), [])
  xen.assertNoLeaks()
})

test('what the peer wrote is wiped before the pages go to anybody else', t => {
  const { owner, user, share } = setUp()
  const pages = share(1)
  grantCopy(user, 1, pages.refs[0], 100, Uint8Array.of(1, 2, 3), 'write')
  let freed: Uint8Array | undefined
  const { pagesFree } = owner.abi
  owner.abi.pagesFree = bytes => {
    freed = bytes.slice()
    return pagesFree(bytes)
  }
  pages.release()
  t.true(freed?.every(byte => byte === 0))
})

test('a peer that never lets go does not keep the pages that others do let go of', async t => {
  const { xen, owner, user, share } = setUp()
  const stuck = share(1)
  const kept = new ForeignPages(user.machine, 1, stuck.refs, false, 'test')
  stuck.release()
  await xen.advance(10_000)
  const { freePages } = owner
  for (let i = 0; i < 10; i++) {
    const pages = share(1)
    const foreign = new ForeignPages(user.machine, 1, pages.refs, false, 'test')
    pages.release()
    await xen.advance(5)
    foreign.release()
    await xen.advance(50)
    t.is(owner.freePages, freePages, `round ${i}`)
  }
  kept.release()
  await xen.advance(2000)
  xen.assertNoLeaks()
})

test('a peer that died holds nothing any more', async t => {
  const { xen, user, share } = setUp()
  const pages = share(1)
  new ForeignPages(user.machine, 1, pages.refs, false, 'test')
  pages.release()
  user.destroy()
  await xen.advance(2000)
  t.notThrows(() => xen.assertNoLeaks())
})

test('references that are not ours, were taken back, or are read-only cannot be mapped, and nothing of the attempt remains', t => {
  const { xen, owner, user, share } = setUp()
  const stranger = xen.createDomain(3)
  const pages = share(1, true)
  const attempts: [typeof user, number[], boolean][] = [
    [stranger, [pages.refs[0]], true], // granted to 2
    [user, [pages.refs[0]], false], // granted read-only
    [user, [pages.refs[0], 400], true], // the second is unused
    [user, [0xffffffff], true],
  ]
  for (const [domain, refs, readonly] of attempts) {
    const error = t.throws(() => new ForeignPages(domain.machine, 1, refs, readonly, 'vchan 1:512'), { instanceOf: XenError })
    t.regex(error.message, /^vchan 1:512: mapping grants [\d ]+ of domain 1: (general_error|bad_gntref)\. .*connect again/)
  }
  pages.release()
  t.throws(() => new ForeignPages(user.machine, 1, [8], true, 'test'), { instanceOf: XenError })
  t.throws(() => new ForeignPages(user.machine, 7, [8], true, 'test'), { message: /bad_domain/ })
  void owner
  xen.assertNoLeaks()
})

test('revoke shuts the peer out, unless it is using the page', t => {
  const { xen, user, grants, share } = setUp()
  const pages = share(1)
  const bytes = Uint8Array.of(1, 2, 3)
  t.is(grantCopy(user, 1, pages.refs[0], 0, bytes, 'write'), 0)
  const foreign = new ForeignPages(user.machine, 1, pages.refs, false, 'test')
  t.false(grants.revoke(pages.refs[0]))
  t.is(grantCopy(user, 1, pages.refs[0], 0, bytes, 'write'), 0)
  foreign.release()
  t.true(grants.revoke(pages.refs[0]))
  t.is(grantCopy(user, 1, pages.refs[0], 0, bytes, 'write'), -1)
  pages.release() // of a revoked reference too
  xen.assertNoLeaks()
})

test('the table grows on demand, reuses references, and says when it is full', t => {
  const { xen, owner, grants, share } = setUp()
  owner.maxGrantFrames = 2
  const first = share(1000)
  t.is(owner.grantTableFrames.length, 2)
  const error = t.throws(() => share(17), { instanceOf: XenError })
  t.is(error.code, 'no_space')
  t.is(grants.list().length, 1) // what the failed attempt had granted is back
  first.release()
  share(1016).release()
  xen.assertNoLeaks()
})

test('no memory is an error that says how much was asked for', t => {
  const { owner, share } = setUp()
  owner.freePages = 3
  t.throws(() => share(4), { instanceOf: XenError, message: /allocating 4 pages to share: ENOMEM\. Give the domain more memory/ })
})
