/** The hypervisor's side of grants: reads the entries as Xen does, keeps the in-use bits, copies for backends that ask it to. */
import { Uint8Array, Uint16Array, Uint32Array } from './arrays.ts'
import type { SimulatedDomain } from './domain.ts'
import type { Allocation, Frame } from './memory.ts'
import { Mapping, PAGE, UNMAPPED } from './memory.ts'

const PERMIT_ACCESS = 1
const TYPE_MASK = 3
const READONLY = 4
const READING = 8
const WRITING = 16

/** GNTST_* (xen/include/public/grant_table.h). */
export const GrantStatus = {
  generalError: -1,
  badDomain: -2,
  badGntref: -3,
  badHandle: -4,
  badVirtAddr: -5,
  permissionDenied: -8,
  badPage: -9,
  badCopyArg: -10,
} as const

const ENTRIES = 512

/** The entry of a reference in a domain's own table, as views of the table's memory. */
const entryOf = (domain: SimulatedDomain, ref: number): { u16: Uint16Array; frame: number } | undefined => {
  const buffer = domain.grantTableFrames[Math.floor(ref / ENTRIES)]
  if (buffer === undefined) return undefined
  const index = ref % ENTRIES
  return { u16: new Uint16Array(buffer, index * 8, 2), frame: new Uint32Array(buffer, index * 8 + 4, 1)[0] }
}

/** What Xen checks before anyone may touch a granted page. */
function acquire(owner: SimulatedDomain | undefined, user: SimulatedDomain, ref: number, write: boolean): Frame | number {
  if (owner === undefined || !owner.alive) return GrantStatus.badDomain
  const entry = entryOf(owner, ref)
  if (entry === undefined) return GrantStatus.badGntref
  const [flags, domid] = entry.u16
  if ((flags & TYPE_MASK) !== PERMIT_ACCESS || domid !== user.domid) return GrantStatus.generalError
  if (write && (flags & READONLY) !== 0) return GrantStatus.generalError
  return owner.frames.get(entry.frame) ?? GrantStatus.badPage
}

export function grantMap(
  user: SimulatedDomain,
  allocation: Allocation,
  page: number,
  ownerDomid: number,
  ref: number,
  readonly: boolean,
): number {
  if (allocation.mappings[page] !== undefined) return GrantStatus.badVirtAddr
  const owner = user.xen.domain(ownerDomid)
  const frame = acquire(owner, user, ref, !readonly)
  if (typeof frame === 'number') return frame
  const mapping = new Mapping(user.nextHandle++, { domid: ownerDomid, ref, frame }, allocation, page, readonly)
  allocation.mappings[page] = mapping
  user.mappings.add(mapping)
  owner?.mappings.add(mapping)
  if (mapping.bulk) user.xen.bulk.add(mapping)
  updateInUse(owner as SimulatedDomain, ref)
  return mapping.handle
}

export function grantUnmap(user: SimulatedDomain, allocation: Allocation, page: number, handle: number): number {
  const mapping = allocation.mappings[page]
  if (mapping === undefined || mapping.handle !== handle) return GrantStatus.badHandle
  mapping.unmap()
  allocation.mappings[page] = undefined
  user.mappings.delete(mapping)
  user.xen.bulk.remove(mapping)
  const owner = user.xen.domain(mapping.owner.domid)
  owner?.mappings.delete(mapping)
  if (owner !== undefined) updateInUse(owner, mapping.owner.ref)
  return 0
}

/** Sets the in-use bits of an entry to what the mappings of it are. */
function updateInUse(owner: SimulatedDomain, ref: number): void {
  const users = [...owner.mappings].filter(mapping => mapping.owner.domid === owner.domid && mapping.owner.ref === ref)
  const entry = entryOf(owner, ref)
  if (entry === undefined) return
  const writing = users.some(mapping => !mapping.readonly)
  entry.u16[0] = (entry.u16[0] & ~(READING | WRITING)) | (users.length > 0 ? READING : 0) | (writing ? WRITING : 0)
}

/** GNTTABOP_copy between a page granted to `user` and bytes of its own; what Linux netback does for packets. Returns a GNTST_* status. */
export function grantCopy(
  user: SimulatedDomain,
  ownerDomid: number,
  ref: number,
  offset: number,
  bytes: Uint8Array,
  direction: 'read' | 'write',
): number {
  if (offset < 0 || offset + bytes.length > PAGE) return GrantStatus.badCopyArg
  const frame = acquire(user.xen.domain(ownerDomid), user, ref, direction === 'write')
  if (typeof frame === 'number') return frame
  const page = new Uint8Array(frame.buffer, frame.page * PAGE + offset, bytes.length)
  if (direction === 'read') bytes.set(page)
  else page.set(bytes)
  return 0
}

/** Entries of a domain that still allow somebody something. */
export function openGrants(domain: SimulatedDomain): number[] {
  const open: number[] = []
  domain.grantTableFrames.forEach((buffer, table) => {
    const u16 = new Uint16Array(buffer)
    for (let i = 0; i < ENTRIES; i++) if (u16[i * 4] !== 0) open.push(table * ENTRIES + i)
  })
  return open
}

export const newReservation = (count: number): Allocation => {
  const buffer = new ArrayBuffer(count * PAGE)
  new Uint32Array(buffer).fill(UNMAPPED)
  return { buffer, count, frames: [], mappings: new Array<Mapping | undefined>(count).fill(undefined) }
}
