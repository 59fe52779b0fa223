// Generated from boot/abi/table.ts by boot/abi/generate.ts: do not edit.
/** What the kernel offers to TypeScript. The guest has the real one, tests have the simulated Xen's. */
export interface Abi {
  /** Writes UTF-8 text to the console ring; waits for space, never drops. */
  consoleWrite(text: string): void
  /** Takes what dom0 typed; returns the number of bytes, 0 when there is none. */
  consoleRead(into: Uint8Array): number
  /** Event channel port that fires when there is console input; 0 when there is no console. */
  consolePort(): number
  /** Milliseconds since the kernel was entered, with fractions; never goes back, stands still while the domain is suspended (pvclock). */
  clockMonotonic(): number
  /**
   * clockMonotonic() at a moment since the last `wait`, and 20 ms ago at most: for who asks for each packet. Where Xen emulates the
   * TSC, each reading of it leaves the domain.
   */
  clockRecent(): number
  /** Milliseconds since 1970-01-01 UTC, with fractions (shared_info wall clock plus pvclock, plus what clockSet corrected). */
  clockWall(): number
  /**
   * Sets the wall clock, and with it Date: clockWall() is `wall` now. It goes on with Xen's, at this distance; clockMonotonic() does
   * not move.
   */
  clockSet(wall: number): void
  /**
   * Blocks until a port is pending or clockMonotonic() reaches `deadline` (Infinity: no deadline; in the past: only polls). Writes the
   * pending ports as little-endian u32 into `ports` (as many as fit, 64 at most; the rest stays pending and comes first the next
   * time), clears them, returns their number.
   */
  wait(deadline: number, ports: Uint8Array): number
  /** Allocates `count` zeroed pages of 4096 bytes, contiguous in linear memory, each backed by a guest frame. */
  pagesAlloc(count: number): ArrayBuffer | undefined
  /** Reserves linear addresses for `count` foreign pages; untouchable until grantMap put a page there. */
  pagesReserve(count: number): ArrayBuffer | undefined
  /**
   * Gives back what pagesAlloc or pagesReserve returned (a view of the whole). No view of it may be used again. 0, or -EBUSY while a
   * foreign page is mapped.
   */
  pagesFree(pages: Uint8Array): number
  /** Guest frame number of page `index` of an allocation: what a grant entry holds. */
  pageFrame(pages: Uint8Array, index: number): number
  /**
   * Maps frame `frame` of the grant table (version 1, 512 entries of 8 bytes); Xen grows the table. undefined when the limit is
   * reached.
   */
  grantTable(frame: number): ArrayBuffer | undefined
  /** The most frames the grant table may have (GNTTABOP_query_size). */
  grantFrames(): number
  /**
   * Maps pages of another domain at the first pages of a reservation, one for each reference in `grants` (u32, aligned), and puts
   * their handles in the place of the references. 0, or the first negative GNTST_* status: then none is mapped.
   */
  grantMap(pages: Uint8Array, domid: number, grants: Uint8Array, readonly: number): number
  /** Unmaps them again: 0, or the first negative GNTST_* status, with which the others are unmapped all the same. */
  grantUnmap(pages: Uint8Array, handles: Uint8Array): number
  /** A new port that domain `remote` may bind to; unmasked. Port or -errno. */
  evtchnAllocUnbound(remote: number): number
  /** Binds a local port to a port of `remote`; unmasked. Port or -errno. */
  evtchnBindInterdomain(remote: number, port: number): number
  /** Closes a port. 0 or -errno. */
  evtchnClose(port: number): number
  /** Notifies the other end. 0 or -errno. */
  evtchnSend(port: number): number
  /** State of a port: 0 closed, 1 unbound, 2 interdomain, 3 pirq, 4 virq, 5 ipi, or -errno. */
  evtchnStatus(port: number): number
  /** The xenstore ring page. */
  xenstorePage(): ArrayBuffer | undefined
  /** The xenstore event channel port. */
  xenstorePort(): number
  /** Atomic OR of a byte, full barrier; returns the old value. */
  or8(bytes: Uint8Array, offset: number, value: number): number
  /** Atomic AND of a byte, full barrier; returns the old value. */
  and8(bytes: Uint8Array, offset: number, value: number): number
  /** Atomic exchange of an aligned little-endian u32; returns the old value. */
  exchange32(bytes: Uint8Array, offset: number, value: number): number
  /** Atomic compare-exchange of an aligned u16; returns the old value. */
  compareExchange16(bytes: Uint8Array, offset: number, expected: number, desired: number): number
  /** Full memory barrier. */
  fence(): void
  /** memmove between two arrays. */
  copy(into: Uint8Array, intoOffset: number, from: Uint8Array, fromOffset: number, length: number): void
  /**
   * The same `rows` times, one after the other: rectangles of pictures. Each row of `length` bytes begins a stride after the one
   * before; `intoStride` is at least `length`, a `fromStride` of 0 takes the same row each time.
   */
  copyRows(into: Uint8Array, intoOffset: number, intoStride: number, from: Uint8Array, fromOffset: number, fromStride: number, length: number, rows: number): void
  /**
   * One's complement sum (RFC 1071) of little-endian 16-bit words plus `initial`, folded to 16 bits, not inverted; an odd last byte
   * counts as the low byte. Store ~sum & 0xffff with a little-endian 16-bit store.
   */
  checksum(bytes: Uint8Array, offset: number, length: number, initial: number): number
  /** Writes `text` as UTF-8 at `offset`; returns its length in bytes, or the negative length when it does not fit (nothing is written). */
  utf8Encode(text: string, into: Uint8Array, offset: number): number
  /**
   * Text from UTF-8; ends at the first NUL byte; each maximal part that is not UTF-8 becomes one U+FFFD
   * (https://encoding.spec.whatwg.org/#utf-8-decoder).
   */
  utf8Decode(bytes: Uint8Array, offset: number, length: number): string
  /** Text from ISO 8859-1, a character per byte; ends at the first NUL byte. */
  latin1Decode(bytes: Uint8Array, offset: number, length: number): string
  /**
   * What images with compiled WebAssembly have: instances, memories, tables, globals, and calls (boot/wasm/runtime.c has the
   * operations). `importer` calls an import; what it throws leaves the module.
   */
  wasm(op: number, target: number, detail: number, values: Uint8Array, importer: () => void): unknown
  /** Fills with random bytes: RDSEED/RDRAND mixed into a ChaCha20 generator. */
  random(into: Uint8Array): void
  /** Mixes more entropy into the generator (the QubesDB random seed). */
  randomMix(seed: Uint8Array): void
  /** The kernel command line. */
  commandLine(): string
  /**
   * Bytes: 0 usable RAM of the domain, 1 free, 2 engine heap in use by frames, 3 pages given out by pagesAlloc, 4 most that both
   * stacks have taken, 5 kernel image and tables.
   */
  memory(what: number): number
  /**
   * SCHEDOP_shutdown: 0 poweroff, 1 reboot, 2 suspend, 3 crash. Drains the console first. Returns only from suspend: 1 same domain, 0
   * a new one (all rings must be rebuilt).
   */
  shutdown(reason: number): number
  /**
   * Whether a frame is the usual packet for us: 6 for TCP, 17 for UDP, when all of it is in `record` (boot/compiled/packet-in.ts), 0
   * when the stack has to look. `checked`: not 0 when its checksum is known to be good.
   */
  packetIn(frame: Uint8Array, length: number, checked: number, record: Uint8Array): number
  /**
   * Builds a segment of TCP in `frame`: `header` has all of its headers but for lengths and checksum, `record` what is its own
   * (boot/compiled/segment-out.ts).
   */
  segmentOut(frame: Uint8Array, header: Uint8Array, payload: Uint8Array, offset: number, length: number, record: Uint8Array): void
  /**
   * Twice the bytes of the head of HTTP that begins at `offset`, up to and with its empty line, and one more when these are those of
   * `known`, a whole head or nothing; 0 when it does not end within `length` bytes.
   */
  httpHead(known: Uint8Array, bytes: Uint8Array, offset: number, length: number): number
  /**
   * HalfSipHash-2-4 of a message of `words` words, at most 13: key, message and result are in `record`
   * (boot/compiled/half-sip-hash.ts).
   */
  halfSipHash(record: Uint8Array, words: number): void
}

export const abiHash = 0x74e30f17
/** The most ports that one `wait` gives. */
export const waitPorts = 64
export const abiNames = [
  'consoleWrite',
  'consoleRead',
  'consolePort',
  'clockMonotonic',
  'clockRecent',
  'clockWall',
  'clockSet',
  'wait',
  'pagesAlloc',
  'pagesReserve',
  'pagesFree',
  'pageFrame',
  'grantTable',
  'grantFrames',
  'grantMap',
  'grantUnmap',
  'evtchnAllocUnbound',
  'evtchnBindInterdomain',
  'evtchnClose',
  'evtchnSend',
  'evtchnStatus',
  'xenstorePage',
  'xenstorePort',
  'or8',
  'and8',
  'exchange32',
  'compareExchange16',
  'fence',
  'copy',
  'copyRows',
  'checksum',
  'utf8Encode',
  'utf8Decode',
  'latin1Decode',
  'wasm',
  'random',
  'randomMix',
  'commandLine',
  'memory',
  'shutdown',
  'packetIn',
  'segmentOut',
  'httpHead',
  'halfSipHash',
] as const
/** Those that are compiled from TypeScript (boot/compiled). */
export type CompiledName = 'packetIn' | 'segmentOut' | 'httpHead' | 'halfSipHash'
