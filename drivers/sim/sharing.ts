/** Who besides its domain may use a byte of memory, at this moment. */
import { Uint8Array, Uint16Array, Uint32Array } from './arrays.ts'
import type { SimulatedDomain } from './domain.ts'
import { PAGE } from './memory.ts'

/**
 * `granted` and `granted read-only`: a page of the domain's own; `foreign` and `foreign read-only`: one that it has mapped;
 * `store`: the ring of xenstore. undefined: nobody.
 */
export type Sharing = 'granted' | 'granted read-only' | 'foreign' | 'foreign read-only' | 'store' | undefined

const PERMIT_ACCESS = 1
const READONLY = 4
/** Where the grant of a frame was found the last time. */
const found = new WeakMap<SimulatedDomain, Map<number, number>>()

export function sharing(domain: SimulatedDomain, buffer: ArrayBuffer, offset: number): Sharing {
  if (buffer === domain.xenstore?.page) return 'store'
  const allocation = domain.allocations.get(buffer)
  if (allocation === undefined) return undefined // the grant table, which is between the domain and Xen; or given back
  const page = Math.floor(offset / PAGE)
  if (allocation.frames.length === 0) {
    const mapping = allocation.mappings[page]
    return mapping === undefined ? undefined : mapping.readonly ? 'foreign read-only' : 'foreign'
  }
  const flags = flagsOf(domain, allocation.frames[page])
  return (flags & PERMIT_ACCESS) === 0 ? undefined : (flags & READONLY) !== 0 ? 'granted read-only' : 'granted'
}

export function isWritableByPeer(domain: SimulatedDomain, buffer: ArrayBuffer, offset: number): boolean {
  const how = sharing(domain, buffer, offset)
  return how !== undefined && how !== 'granted read-only'
}

/** Writes into memory of a domain as a peer that shares it would. */
export function writeAsPeer(domain: SimulatedDomain, buffer: ArrayBuffer, offset: number, bytes: Uint8Array): void {
  const mapping = domain.allocations.get(buffer)?.mappings[Math.floor(offset / PAGE)]
  if (mapping === undefined) return new Uint8Array(buffer).set(bytes, offset)
  const { frame } = mapping.owner
  mapping.sync()
  new Uint8Array(frame.buffer, frame.page * PAGE, PAGE).set(bytes, offset % PAGE)
  mapping.sync()
}

function flagsOf(domain: SimulatedDomain, frame: number): number {
  let refs = found.get(domain)
  if (refs === undefined) found.set(domain, (refs = new Map()))
  const known = refs.get(frame)
  if (known !== undefined) {
    const flags = entry(domain, known, frame)
    if (flags !== 0) return flags
  }
  for (let ref = 0; ref < domain.grantTableFrames.length * 512; ref++) {
    const flags = entry(domain, ref, frame)
    if (flags === 0) continue
    refs.set(frame, ref)
    return flags
  }
  return 0
}

/** Flags of a reference, 0 when it is not about `frame`. */
const entry = ({ grantTableFrames }: SimulatedDomain, ref: number, frame: number): number =>
  new Uint32Array(grantTableFrames[ref >>> 9], (ref & 511) * 8 + 4, 1)[0] === frame
    ? new Uint16Array(grantTableFrames[ref >>> 9], (ref & 511) * 8, 1)[0]
    : 0
