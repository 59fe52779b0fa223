/**
 * The ABI between the kernel and TypeScript: every function the kernel offers, once. From this table come the C header
 * (generate.ts), the TypeScript interface `Abi` (abi.ts), and the host functions of the snapshot. The index of a function in
 * the table is its number on the wire; `abiHash` ties an image to the kernel it was made for.
 *
 * Argument kinds: `num` a JavaScript number; `str` a string; `bytes` a Uint8Array, anywhere in linear memory (the kernel checks
 * that it is one, and every offset and length against it: a wrong one throws a RangeError in JavaScript, it never reaches memory); `fn` a
 * function without parameters, which the kernel may call until it returns.
 * Results: `num`, `str`, `void`, or `buffer`, an ArrayBuffer that aliases memory of the kernel without copying (undefined when
 * there is no memory left), or `any`, which depends on the arguments.
 */
import { compiledTable } from '../compiled/table.ts'

export type Argument = 'num' | 'str' | 'bytes' | 'fn'
export type Result = 'num' | 'str' | 'void' | 'buffer' | 'any'

export interface AbiFunction {
  readonly name: string
  readonly args: readonly (readonly [name: string, kind: Argument])[]
  readonly result: Result
  readonly doc: string
}

const fn = (name: string, args: Record<string, Argument>, result: Result, doc: string): AbiFunction => ({
  name,
  args: Object.entries(args),
  result,
  doc,
})

/** The most ports that one `wait` gives. The kernel has room for no more, and the loop asks for no more. */
export const waitPorts = 64

/** Hypervisor calls that fail return -errno (Xen's errno.h); grant calls return the negative GNTST_* status. */
// biome-ignore format: a function a row
export const abiTable: readonly AbiFunction[] = [
  // console
  fn('consoleWrite', { text: 'str' }, 'void', 'Writes UTF-8 text to the console ring; waits for space, never drops.'),
  fn('consoleRead', { into: 'bytes' }, 'num', 'Takes what dom0 typed; returns the number of bytes, 0 when there is none.'),
  fn('consolePort', {}, 'num', 'Event channel port that fires when there is console input; 0 when there is no console.'),
  // time
  fn('clockMonotonic', {}, 'num',
    'Milliseconds since the kernel was entered, with fractions; never goes back, stands still while the domain is suspended ' +
    '(pvclock).'),
  fn('clockRecent', {}, 'num',
    'clockMonotonic() at a moment since the last `wait`, and 20 ms ago at most: for who asks for each packet. Where Xen emulates the TSC, ' +
    'each reading of it leaves the domain.'),
  fn('clockWall', {}, 'num',
    'Milliseconds since 1970-01-01 UTC, with fractions (shared_info wall clock plus pvclock, plus what clockSet corrected).'),
  fn('clockSet', { wall: 'num' }, 'void',
    'Sets the wall clock, and with it Date: clockWall() is `wall` now. It goes on with Xen\'s, at this distance; clockMonotonic() ' +
    'does not move.'),
  fn('wait', { deadline: 'num', ports: 'bytes' }, 'num',
    'Blocks until a port is pending or clockMonotonic() reaches `deadline` (Infinity: no deadline; in the past: only polls). Writes the pending ports as ' +
    `little-endian u32 into \`ports\` (as many as fit, ${waitPorts} at most; the rest stays pending and comes first the next time), clears them, returns their number.`),
  // pages
  fn('pagesAlloc', { count: 'num' }, 'buffer',
    'Allocates `count` zeroed pages of 4096 bytes, contiguous in linear memory, each backed by a guest frame.'),
  fn('pagesReserve', { count: 'num' }, 'buffer',
    'Reserves linear addresses for `count` foreign pages; untouchable until grantMap put a page there.'),
  fn('pagesFree', { pages: 'bytes' }, 'num',
    'Gives back what pagesAlloc or pagesReserve returned (a view of the whole). No view of it may be used again. 0, or -EBUSY while a ' +
    'foreign page is mapped.'),
  fn('pageFrame', { pages: 'bytes', index: 'num' }, 'num',
    'Guest frame number of page `index` of an allocation: what a grant entry holds.'),
  // grants
  fn('grantTable', { frame: 'num' }, 'buffer',
    'Maps frame `frame` of the grant table (version 1, 512 entries of 8 bytes); Xen grows the table. undefined when the limit is ' +
    'reached.'),
  fn('grantFrames', {}, 'num', 'The most frames the grant table may have (GNTTABOP_query_size).'),
  fn('grantMap', { pages: 'bytes', domid: 'num', grants: 'bytes', readonly: 'num' }, 'num',
    'Maps pages of another domain at the first pages of a reservation, one for each reference in `grants` (u32, aligned), and puts their handles in the place of the ' +
    'references. 0, or the first negative GNTST_* status: then none is mapped.'),
  fn('grantUnmap', { pages: 'bytes', handles: 'bytes' }, 'num',
    'Unmaps them again: 0, or the first negative GNTST_* status, with which the others are unmapped all the same.'),
  // event channels
  fn('evtchnAllocUnbound', { remote: 'num' }, 'num', 'A new port that domain `remote` may bind to; unmasked. Port or -errno.'),
  fn('evtchnBindInterdomain', { remote: 'num', port: 'num' }, 'num', 'Binds a local port to a port of `remote`; unmasked. Port or -errno.'),
  fn('evtchnClose', { port: 'num' }, 'num', 'Closes a port. 0 or -errno.'),
  fn('evtchnSend', { port: 'num' }, 'num', 'Notifies the other end. 0 or -errno.'),
  fn('evtchnStatus', { port: 'num' }, 'num', 'State of a port: 0 closed, 1 unbound, 2 interdomain, 3 pirq, 4 virq, 5 ipi, or -errno.'),
  // xenstore
  fn('xenstorePage', {}, 'buffer', 'The xenstore ring page.'),
  fn('xenstorePort', {}, 'num', 'The xenstore event channel port.'),
  // shared memory: what the engine lacks. Offsets in bytes.
  fn('or8', { bytes: 'bytes', offset: 'num', value: 'num' }, 'num', 'Atomic OR of a byte, full barrier; returns the old value.'),
  fn('and8', { bytes: 'bytes', offset: 'num', value: 'num' }, 'num', 'Atomic AND of a byte, full barrier; returns the old value.'),
  fn('exchange32', { bytes: 'bytes', offset: 'num', value: 'num' }, 'num',
    'Atomic exchange of an aligned little-endian u32; returns the old value.'),
  fn('compareExchange16', { bytes: 'bytes', offset: 'num', expected: 'num', desired: 'num' }, 'num',
    'Atomic compare-exchange of an aligned u16; returns the old value.'),
  fn('fence', {}, 'void', 'Full memory barrier.'),
  fn('copy', { into: 'bytes', intoOffset: 'num', from: 'bytes', fromOffset: 'num', length: 'num' }, 'void', 'memmove between two arrays.'),
  fn('copyRows',
    { into: 'bytes', intoOffset: 'num', intoStride: 'num', from: 'bytes', fromOffset: 'num', fromStride: 'num', length: 'num', rows: 'num' }, 'void',
    'The same `rows` times, one after the other: rectangles of pictures. Each row of `length` bytes begins a stride after the one before; `intoStride` is at least ' +
    '`length`, a `fromStride` of 0 takes the same row each time.'),
  fn('checksum', { bytes: 'bytes', offset: 'num', length: 'num', initial: 'num' }, 'num',
    'One\'s complement sum (RFC 1071) of little-endian 16-bit words plus `initial`, folded to 16 bits, not inverted; an odd last byte counts as the low byte. ' +
    'Store ~sum & 0xffff with a little-endian 16-bit store.'),
  // text
  fn('utf8Encode', { text: 'str', into: 'bytes', offset: 'num' }, 'num',
    'Writes `text` as UTF-8 at `offset`; returns its length in bytes, or the negative length when it does not fit (nothing is ' +
    'written).'),
  fn('utf8Decode', { bytes: 'bytes', offset: 'num', length: 'num' }, 'str',
    'Text from UTF-8; ends at the first NUL byte; each maximal part that is not UTF-8 becomes one U+FFFD (https://encoding.spec.whatwg.org/#utf-8-decoder).'),
  fn('latin1Decode', { bytes: 'bytes', offset: 'num', length: 'num' }, 'str',
    'Text from ISO 8859-1, a character per byte; ends at the first NUL byte.'),
  // WebAssembly
  fn('wasm', { op: 'num', target: 'num', detail: 'num', values: 'bytes', importer: 'fn' }, 'any',
    'What images with compiled WebAssembly have: instances, memories, tables, globals, and calls (boot/wasm/runtime.c has the operations). ' +
    '`importer` calls an import; what it throws leaves the module.'),
  // the machine
  fn('random', { into: 'bytes' }, 'void', 'Fills with random bytes: RDSEED/RDRAND mixed into a ChaCha20 generator.'),
  fn('randomMix', { seed: 'bytes' }, 'void', 'Mixes more entropy into the generator (the QubesDB random seed).'),
  fn('commandLine', {}, 'str', 'The kernel command line.'),
  fn('memory', { what: 'num' }, 'num',
    'Bytes: 0 usable RAM of the domain, 1 free, 2 engine heap in use by frames, 3 pages given out by pagesAlloc, 4 most that ' +
    'both stacks have taken, 5 kernel image and tables.'),
  fn('shutdown', { reason: 'num' }, 'num',
    'SCHEDOP_shutdown: 0 poweroff, 1 reboot, 2 suspend, 3 crash. Drains the console first. Returns only from suspend: 1 same domain, ' +
    '0 a new one (all rings must be rebuilt).'),
  // compiled from TypeScript: boot/compiled
  ...compiledTable.map(({ name, args, result, doc }): AbiFunction => ({
    name,
    args: args.map(([argument, check]) => [argument, check === 'bytes' || check === 'all' || typeof check === 'number' ? 'bytes' : 'num']),
    result,
    doc,
  })),
]
