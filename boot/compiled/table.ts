/**
 * The compiled functions, once: from here come their rows in the ABI's table, the kernel's checks of what they are given (glue.ts) and
 * those of other hosts (host.ts). A function sees nothing outside of what was checked here.
 */

import * as halfSipHash from './half-sip-hash.ts'
import * as packetIn from './packet-in.ts'
import * as segmentOut from './segment-out.ts'

/**
 * What an argument is, and what is checked of it, so that the function can rely on it:
 *
 * - `bytes`, followed by `length`, or by `offset` and `length`: these lie inside of it;
 * - `all`: an array of any size, which the function is given with its length, and checks itself;
 * - a number n: a record, an array of at least n bytes, aligned to 4;
 * - `num`: a whole number below 2^32.
 */
export type Check = 'bytes' | 'offset' | 'length' | 'all' | 'num' | number

/** What a negative result says, in the RangeError that it becomes. */
export const misfit = 'what it is to work on does not fit its arrays'

export interface CompiledFunction {
  readonly name: string
  readonly args: readonly (readonly [name: string, check: Check])[]
  /** Arrays that it may write to, by name. */
  readonly writes: readonly string[]
  /** What callers get: the function's number, or nothing. A negative number is a RangeError in either case. */
  readonly result: 'num' | 'void'
  readonly doc: string
  /** Where things are in its records: kernel and image must agree. */
  readonly layout: Readonly<Record<string, number>>
}

/** The constants that a module exports. */
const layoutOf = (module: object): Record<string, number> =>
  Object.fromEntries(Object.entries(module).filter((entry): entry is [string, number] => typeof entry[1] === 'number'))

export const compiledTable: readonly CompiledFunction[] = [
  {
    name: 'packetIn',
    args: Object.entries({ frame: 'bytes', length: 'length', checked: 'num', record: packetIn.ARRIVAL_BYTES }),
    writes: ['record'],
    result: 'num',
    doc:
      'Whether a frame is the usual packet for us: 6 for TCP, 17 for UDP, when all of it is in `record` (boot/compiled/packet-in.ts), 0 when the ' +
      'stack has to look. `checked`: not 0 when its checksum is known to be good.',
    layout: layoutOf(packetIn),
  },
  {
    name: 'segmentOut',
    args: Object.entries({
      frame: 'all',
      header: 'all',
      payload: 'bytes',
      offset: 'offset',
      length: 'length',
      record: segmentOut.DEPARTURE_BYTES,
    }),
    writes: ['frame'],
    result: 'void',
    doc:
      'Builds a segment of TCP in `frame`: `header` has all of its headers but for lengths and checksum, `record` what is its own ' +
      '(boot/compiled/segment-out.ts).',
    layout: layoutOf(segmentOut),
  },
  {
    name: 'httpHead',
    args: Object.entries({ known: 'all', bytes: 'bytes', offset: 'offset', length: 'length' }),
    writes: [],
    result: 'num',
    doc:
      'Twice the bytes of the head of HTTP that begins at `offset`, up to and with its empty line, and one more when these are those of ' +
      '`known`, a whole head or nothing; 0 when it does not end within `length` bytes.',
    layout: {},
  },
  {
    name: 'halfSipHash',
    args: Object.entries({ record: halfSipHash.HASH_BYTES, words: 'num' }),
    writes: ['record'],
    result: 'void',
    doc: 'HalfSipHash-2-4 of a message of `words` words, at most 13: key, message and result are in `record` (boot/compiled/half-sip-hash.ts).',
    layout: layoutOf(halfSipHash),
  },
]
