/**
 * The kernel's ABI (boot/abi/table.ts) on the simulated Xen, one object a domain. Arguments are checked as the kernel does:
 * a wrong offset is a RangeError here too, not an access somewhere else.
 */
import type { Abi } from '@xen-ts/boot/abi'
import { report, reportOrder, setOwner, unwatched } from './accesses.ts'
import { DataView, Uint8Array } from './arrays.ts'
import { compiledFunctions } from './compiled.ts'
import type { SimulatedDomain } from './domain.ts'
import * as channels from './event-channels.ts'
import { grantMap, grantUnmap, newReservation } from './grants.ts'
import type { Allocation } from './memory.ts'
import { PAGE } from './memory.ts'
import { bytesOf, latin1, utf8 } from './text.ts'

const EBUSY = -16
const ENOSPC = -28
/** GNTST_no_space (grant_table.h): the table of what the domain has mapped is full. */
const NO_SPACE = -13
/** Of the FIFO ABI, which the other end may have. */
const MOST_PORTS = 0x20000

function range(name: string, bytes: Uint8Array, offset: number, length: number): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`${name}: not a Uint8Array`)
  if (!Number.isInteger(offset) || !Number.isInteger(length) || offset < 0 || length < 0 || offset + length > bytes.length) {
    throw new RangeError(`${name}: ${length} bytes at ${offset} of ${bytes.length}`)
  }
}

function whole(name: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 0 || value > most) throw new RangeError(`${name}: ${value} is no whole number from 0 to ${most}`)
}

export function makeAbi(domain: SimulatedDomain): Abi {
  const { xen } = domain
  let wallCorrection = 0

  const allocationOf = (name: string, pages: Uint8Array): Allocation => {
    const allocation = domain.allocations.get(pages.buffer as ArrayBuffer)
    if (allocation === undefined || pages.byteOffset !== 0 || pages.length !== allocation.count * PAGE) {
      throw new RangeError(`${name}: not a view of a whole allocation`)
    }
    return allocation
  }
  const pageOf = (name: string, pages: Uint8Array, index: number): Allocation => {
    const allocation = allocationOf(name, pages)
    if (!Number.isInteger(index) || index < 0 || index >= allocation.count)
      throw new RangeError(`${name}: page ${index} of ${allocation.count}`)
    return allocation
  }
  /** The u32 in an array, one for each of the first pages. */
  const onePerPage = (name: string, pages: Uint8Array, array: Uint8Array): Uint32Array => {
    const { count } = pageOf(name, pages, 0)
    if (array.length === 0 || array.length % 4 !== 0 || array.length > count * 4)
      throw new RangeError(`${name}: ${array.length} bytes are not a u32 for each of 1 to ${count} pages`)
    return new Uint32Array(array.buffer, array.byteOffset, array.length / 4)
  }
  /** Checks, makes the access known, and gives the array itself, with the length up to the first NUL. */
  const textOf = (name: string, bytes: Uint8Array, offset: number, length: number): [Uint8Array, number] => {
    range(name, bytes, offset, length)
    const array = unwatched(bytes)
    report('read', name, array, offset, length)
    const nul = array.subarray(offset, offset + length).indexOf(0)
    return [array, nul < 0 ? length : nul]
  }
  /** An atomic read-modify-write, ordered against everything the peers do. */
  const atomic = (name: string, bytes: Uint8Array, offset: number, size: number, change: (view: DataView) => number): number => {
    range(name, bytes, offset, size)
    if ((bytes.byteOffset + offset) % size !== 0) throw new RangeError(`${name}: offset ${offset} is not aligned`)
    report('update', name, unwatched(bytes), offset, size)
    domain.order(name)
    return change(new DataView(bytes.buffer, bytes.byteOffset + offset, size))
  }

  return {
    consoleWrite: text => {
      domain.console += text
    },
    consoleRead: () => 0,
    consolePort: () => 0,
    clockMonotonic: () => xen.now,
    clockRecent: () => xen.now,
    clockWall: () => xen.epoch + xen.now + wallCorrection,
    clockSet: wall => {
      wallCorrection = wall - (xen.epoch + xen.now)
    },
    wait: (deadline, ports) => domain.wait(deadline, ports),

    pagesAlloc: count => (domain.refuses('pages') ? undefined : domain.allocate(count)),
    pagesReserve: count => {
      if (!Number.isInteger(count) || count < 1) throw new RangeError(`pagesReserve: ${count} pages`)
      if (domain.refuses('pages')) return undefined
      const allocation = newReservation(count)
      domain.allocations.set(allocation.buffer, allocation)
      setOwner(allocation.buffer, domain)
      return allocation.buffer
    },
    pagesFree: pages => {
      const allocation = allocationOf('pagesFree', pages)
      if (allocation.mappings.some(mapping => mapping !== undefined)) return EBUSY
      domain.free(allocation)
      return 0
    },
    pageFrame: (pages, index) => pageOf('pageFrame', pages, index).frames[index],

    grantTable: frame => {
      if (frame >= domain.maxGrantFrames) return undefined
      for (let i = domain.grantTableFrames.length; i <= frame; i++) {
        const buffer = new ArrayBuffer(PAGE)
        setOwner(buffer, domain)
        domain.grantTableFrames.push(buffer)
      }
      return domain.grantTableFrames[frame]
    },
    grantFrames: () => domain.maxGrantFrames,
    grantMap: (pages, domid, grants, readonly) => {
      reportOrder(domain, 'grantMap')
      domain.order('grantMap')
      if (domain.refuses('mappings')) return NO_SPACE
      const numbers = onePerPage('grantMap', pages, grants)
      for (let index = 0; index < numbers.length; index++) {
        const result = grantMap(domain, pageOf('grantMap', pages, index), index, domid, numbers[index], readonly !== 0)
        if (result < 0) {
          for (let mapped = 0; mapped < index; mapped++) grantUnmap(domain, pageOf('grantMap', pages, mapped), mapped, numbers[mapped])
          return result
        }
        numbers[index] = result
      }
      return 0
    },
    grantUnmap: (pages, handles) => {
      reportOrder(domain, 'grantUnmap')
      domain.order('grantUnmap')
      const results = [...onePerPage('grantUnmap', pages, handles)].map((handle, index) =>
        grantUnmap(domain, pageOf('grantUnmap', pages, index), index, handle),
      )
      return results.find(result => result < 0) ?? 0
    },

    evtchnAllocUnbound: remote => (domain.refuses('ports') ? ENOSPC : channels.allocUnbound(domain, remote)),
    evtchnBindInterdomain: (remote, port) => {
      if (!(port >= 0 && port < MOST_PORTS)) throw new RangeError(`evtchnBindInterdomain: port ${port}`)
      if (domain.refuses('ports')) return ENOSPC
      return channels.bindInterdomain(domain, remote, port)
    },
    evtchnClose: port => channels.close(domain, port),
    evtchnSend: port => {
      reportOrder(domain, 'evtchnSend')
      domain.order('evtchnSend')
      return channels.send(domain, port)
    },
    evtchnStatus: port => domain.openPorts.get(port)?.state ?? 0,

    xenstorePage: () => domain.xenstore?.page,
    xenstorePort: () => domain.xenstore?.port ?? 0,

    or8: (bytes, offset, value) => {
      whole('or8', value, 0xff)
      return atomic('or8', bytes, offset, 1, view => {
        const old = view.getUint8(0)
        view.setUint8(0, old | value)
        return old
      })
    },
    and8: (bytes, offset, value) => {
      whole('and8', value, 0xff)
      return atomic('and8', bytes, offset, 1, view => {
        const old = view.getUint8(0)
        view.setUint8(0, old & value)
        return old
      })
    },
    exchange32: (bytes, offset, value) => {
      whole('exchange32', value, 0xffffffff)
      return atomic('exchange32', bytes, offset, 4, view => {
        const old = view.getUint32(0, true)
        view.setUint32(0, value, true)
        return old
      })
    },
    compareExchange16: (bytes, offset, expected, desired) => {
      whole('compareExchange16', expected, 0xffff)
      whole('compareExchange16', desired, 0xffff)
      return atomic('compareExchange16', bytes, offset, 2, view => {
        const old = view.getUint16(0, true)
        if (old === expected) view.setUint16(0, desired, true)
        return old
      })
    },
    fence: () => {
      reportOrder(domain, 'fence')
      domain.order('fence')
    },
    copy: (into, intoOffset, from, fromOffset, length) => {
      range('copy into', into, intoOffset, length)
      range('copy from', from, fromOffset, length)
      const source = unwatched(from)
      const target = unwatched(into)
      report('read', 'copy', source, fromOffset, length)
      report('write', 'copy', target, intoOffset, length)
      domain.order('copy')
      xen.bulk.sync(source, fromOffset, length)
      target.set(source.subarray(fromOffset, fromOffset + length), intoOffset)
      xen.bulk.sync(target, intoOffset, length)
    },
    copyRows: (into, intoOffset, intoStride, from, fromOffset, fromStride, length, rows) => {
      for (const value of [intoStride, fromStride, length, rows]) whole('copyRows', value, 0xffffffff)
      if (intoStride < length) throw new RangeError(`copyRows: rows of ${length} bytes, ${intoStride} from one to the next`)
      const count = length === 0 ? 0 : rows
      const [intoEnd, fromEnd] = [intoStride, fromStride].map(stride => (count === 0 ? 0 : (count - 1) * stride + length)) as [
        number,
        number,
      ]
      range('copyRows into', into, intoOffset, intoEnd)
      range('copyRows from', from, fromOffset, fromEnd)
      const source = unwatched(from)
      const target = unwatched(into)
      domain.order('copyRows')
      for (let row = 0; row < count; row++) {
        const start = fromOffset + row * fromStride
        const at = intoOffset + row * intoStride
        report('read', 'copyRows', source, start, length)
        report('write', 'copyRows', target, at, length)
        xen.bulk.sync(source, start, length)
        target.set(source.subarray(start, start + length), at)
        xen.bulk.sync(target, at, length)
      }
    },
    checksum: (watched, offset, length, initial) => {
      range('checksum', watched, offset, length)
      whole('checksum', initial, 2 ** 48)
      const bytes = unwatched(watched)
      report('read', 'checksum', bytes, offset, length)
      domain.order('checksum')
      xen.bulk.sync(bytes, offset, length)
      let sum = initial
      for (let i = 0; i < length; i++) sum += bytes[offset + i] << ((i & 1) * 8)
      while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
      return sum
    },

    utf8Encode: (text, into, offset) => {
      range('utf8Encode', into, offset, 0)
      const bytes = bytesOf(text)
      if (bytes.length > into.length - offset) return -bytes.length
      report('write', 'utf8Encode', unwatched(into), offset, bytes.length)
      unwatched(into).set(bytes, offset)
      return bytes.length
    },
    utf8Decode: (bytes, offset, length) => {
      const [array, end] = textOf('utf8Decode', bytes, offset, length)
      return utf8(array, offset, end)
    },
    latin1Decode: (bytes, offset, length) => {
      const [array, end] = textOf('latin1Decode', bytes, offset, length)
      return latin1(array, offset, end)
    },

    wasm: () => {
      throw new Error('wasm: there is no compiled WebAssembly here')
    },

    ...compiledFunctions(domain),

    random: into => {
      for (let i = 0; i < into.length; i++) into[i] = xen.random(256)
    },
    randomMix: () => {},
    commandLine: () => domain.commandLine,
    memory: () => 64 * 1024 * 1024,
    shutdown: reason => domain.shutdown(reason),
  }
}
