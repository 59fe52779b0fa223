import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { abiHash } from '../abi/hash.ts'
import { hostAbi } from '../node/host-abi.ts'
import { runLoop } from '../node/loop.ts'
import type { CodePart } from './code.ts'
import { composeImage, ImageError, readImage } from './compose.ts'
import { readElf, readNotes, type Segment, segmentType, writeElf, writeNote } from './elf.ts'
import { offsets } from './format.ts'
import { restoreSnapshot } from './restore.ts'
import { makeSnapshot } from './snapshot.ts'

const base = 0xffffffff80000000n
const entry = 0x100000n
const slot = 0x102010n
const end = 0x105000n
const code = Uint8Array.from([0xf4, 0xeb, 0xfd]) // hlt; jmp .-1

interface KernelParts {
  version?: number
  hash?: number
  slot?: bigint
  end?: bigint
  name?: string
  data?: Uint8Array
  bytes?: number
}

/** A small file with what the composer needs of a kernel: text, notes in read-only data, and data with the slot. */
function smallKernel(parts: KernelParts = {}): Uint8Array {
  const descriptor = new Uint8Array(parts.bytes ?? 24)
  const view = new DataView(descriptor.buffer)
  view.setUint32(0, parts.version ?? 2, true)
  view.setUint32(4, parts.hash ?? abiHash(), true)
  view.setBigUint64(8, parts.slot ?? slot, true)
  if (descriptor.length >= 24) view.setBigUint64(16, parts.end ?? end, true)
  const xen = writeNote({ name: 'Xen', type: 18, descriptor: Uint8Array.from([0, 0, 0x10, 0]) })
  const own = writeNote({ name: parts.name ?? 'xen-ts', type: 1, descriptor })
  const notes = Uint8Array.from([...xen, ...own])
  const load = (physicalAddress: bigint, flags: number, bytes: Uint8Array, memorySize = bytes.length) => ({
    type: segmentType.load,
    flags,
    physicalAddress,
    virtualAddress: base + physicalAddress,
    bytes,
    memorySize,
    align: 4096,
  })
  const rodata = load(0x101000n, 4, Uint8Array.from([...notes, 1, 2, 3]))
  return writeElf(entry, [
    load(entry, 5, code),
    rodata,
    load(0x102000n, 6, parts.data ?? new Uint8Array(0x100), 0x2345),
    { ...rodata, type: segmentType.note, bytes: notes, memorySize: notes.length, align: 4 },
  ])
}

const snapshot = await makeSnapshot({
  bundle: 'globalThis.__xenTs = { turn() { __abi.consoleWrite("from the image"); __abi.shutdown(0) }, fail() {} }',
  filename: 'app.js',
  program: 'small',
})
const metadata = { name: 'small', target: 'xen', args: [{ name: 'port', default: 80 }] }
const compose = (parts: KernelParts = {}) => composeImage({ kernel: smallKernel(parts), snapshot, metadata })
const refused = (t: ExecutionContext, parts: KernelParts, message: RegExp) =>
  t.throws(() => compose(parts), { instanceOf: ImageError, message })

const loads = (segments: readonly Segment[]) => segments.filter(({ type }) => type === segmentType.load)

test('the snapshot is one more segment behind the kernel, writable, and the slot leads to it', t => {
  const { image } = compose()
  const elf = readElf(image, 'the image')
  t.is(elf.entry, entry)
  const [text, rodata, data, added] = loads(elf.segments)
  t.deepEqual(Uint8Array.from(text.bytes), code)
  t.deepEqual(
    [text, rodata, data].map(({ flags }) => flags),
    [5, 4, 6],
  )
  t.is(data.memorySize, 0x2345)
  t.is(added.physicalAddress, end)
  t.is(added.virtualAddress, base + end)
  t.is(added.flags, 6)
  const view = new DataView(data.bytes.buffer, data.bytes.byteOffset)
  t.is(view.getBigUint64(Number(slot & 0xfffn), true), end)
  t.is(view.getBigUint64(Number(slot & 0xfffn) + 8, true), BigInt(added.bytes.length))
  t.is(new DataView(added.bytes.buffer, added.bytes.byteOffset).getUint32(offsets.abiHash, true), abiHash())
})

const ownCode: CodePart[] = [
  { name: 'first', bytes: new Uint8Array(5000).fill(0x90), align: 16, relocations: [] },
  {
    name: 'second',
    bytes: new Uint8Array(8),
    align: 1,
    relocations: [{ offset: 0, kind: 'abs64', target: { part: 'first', offset: 1 }, addend: 0 }],
  },
]

test('code of the image is a segment of its own between kernel and snapshot, read and executed, never written', t => {
  const plain = compose(),
    { image, buildId, sizes } = composeImage({ kernel: smallKernel(), snapshot, metadata, code: ownCode })
  const elf = readElf(image, 'the image')
  const [, , data, added, last] = loads(elf.segments)
  t.is(added.flags, 5)
  t.is(added.physicalAddress, end)
  t.is(added.virtualAddress, base + end)
  t.is(last.flags, 6)
  t.is(last.physicalAddress, end + 0x2000n)
  t.is(last.virtualAddress, base + end + 0x2000n)
  const view = new DataView(data.bytes.buffer, data.bytes.byteOffset + Number(slot & 0xfffn), 32)
  t.deepEqual(
    [0, 8, 16, 24].map(at => view.getBigUint64(at, true)),
    [end + 0x2000n, BigInt(last.bytes.length), end, BigInt(added.bytes.length)],
  )
  const code = new DataView(added.bytes.buffer, added.bytes.byteOffset)
  t.is(code.getBigUint64(added.bytes.length - 8, true), base + end + BigInt(code.getUint32(40, true)) + 1n)
  t.is(sizes['compiled code'], added.bytes.length)
  t.is(
    Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0),
    image.length,
  )
  t.not(buildId, plain.buildId)
  t.false('compiled code' in plain.sizes)
  t.deepEqual(composeImage({ kernel: smallKernel(), snapshot, metadata, code: [] }).image, plain.image)
  t.deepEqual(composeImage({ kernel: smallKernel(), snapshot, metadata, code: ownCode }).image, image)
})

test('code that needs a function which the kernel lacks, or more room than there is, is refused', t => {
  const kernel = smallKernel()
  const relocations = [{ offset: 0, kind: 'pc32', target: 'engine_missing', addend: -4 }] as const
  t.throws(() => composeImage({ kernel, snapshot, metadata, code: [{ ...ownCode[0], relocations }] }), {
    instanceOf: ImageError,
    message: /first, .* to engine_missing, which does not exist/,
  })
  t.throws(() => composeImage({ kernel: smallKernel({ end: 0x40000000n }), snapshot, metadata, code: ownCode }), {
    instanceOf: ImageError,
    message: /code has \d+ bytes/,
  })
})

test('readelf finds program headers and notes in order', t => {
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-image-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'small.xen')
  writeFileSync(file, compose().image)
  const shown = execFileSync('readelf', ['-lnW', file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  t.notRegex(shown, /[Ww]arning|[Ee]rror/)
  t.regex(shown, /Elf file type is EXEC[^]*Entry point 0x100000\n/)
  t.is(shown.match(/^ {2}LOAD /gm)?.length, 4)
  t.regex(shown, /LOAD +0x\w+ 0xffffffff80105000 0x0+105000 \S+ \S+ RW +0x1000/)
  t.regex(shown, /Xen +0x00000004[^\n]*\(0x00000012\)[^\n]*00 00 10 00/)
  t.regex(shown, /xen-ts +0x00000018/)
  for (const [, offset, address] of shown.matchAll(/^ {2}LOAD +(\w+) (\w+)/gm)) t.is(BigInt(offset) % 4096n, BigInt(address) % 4096n)
})

test("metadata comes back as it went in, with the composer's facts; gzipped too", t => {
  const { image, buildId, memoryMiB } = compose()
  for (const file of [image, gzipSync(image), Buffer.from(image)])
    t.deepEqual(readImage(file).metadata, { ...metadata, buildId, memoryMiB, engine: 'QuickJS 2025-09-13' })
  t.is(loads(readImage(image).segments).length, 4)
})

test('the snapshot in an image runs', async t => {
  const { image, buildId } = compose()
  const segment = loads(readImage(gzipSync(image)).segments)[3].bytes
  let output = ''
  const { engine, hooks } = await restoreSnapshot(segment, 1n, engine =>
    hostAbi(engine, {
      output: text => {
        output += text
      },
    }),
  )
  t.is(runLoop(engine, hooks), 0)
  t.is(output, 'from the image')
  t.is(Buffer.from(segment.subarray(offsets.buildId, offsets.buildId + 17)).toString(), `${buildId}\0`)
  t.is(Buffer.from(segment.subarray(offsets.program, offsets.program + 6)).toString(), 'small\0')
})

test('the same input gives the same bytes; another kernel another build id', t => {
  const one = compose(),
    two = compose(),
    other = compose({ data: Uint8Array.from({ length: 0x100 }, (_, i) => (i === 5 ? 1 : 0)) })
  t.deepEqual(one.image, two.image)
  t.is(one.sha256, two.sha256)
  t.regex(one.buildId, /^[0-9a-f]{16}$/)
  t.not(other.buildId, one.buildId)
})

test('a kernel in a Buffer is not changed', t => {
  const kernel = Buffer.concat([Buffer.from('before'), smallKernel()]).subarray(6)
  const copy = Uint8Array.from(kernel)
  t.deepEqual(composeImage({ kernel, snapshot, metadata }).image, compose().image)
  t.deepEqual(Uint8Array.from(kernel), copy)
})

test('sizes add up to the image', t => {
  const { image, sizes } = compose()
  t.is(
    Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0),
    image.length,
  )
  t.true(Object.values(sizes).every(bytes => bytes >= 0))
})

test('a wrong kernel is refused with what to do', t => {
  refused(t, { hash: 0xdeadbeef }, /another ABI \(deadbeef\).*make kernel/)
  refused(t, { name: 'other' }, /no xen-ts note.*make kernel/)
  refused(t, { version: 1 }, /version 1.*make kernel/)
  refused(t, { bytes: 16 }, /16 bytes.*make kernel/)
  refused(t, { end: 0x105001n }, /ends at 0x105001.*make kernel/)
  refused(t, { end: 0x104000n }, /ends at 0x104000/)
  refused(t, { slot: 0x102000n, data: new Uint8Array(0x100).fill(1) }, /slot is not empty/)
  refused(t, { slot: 0x1020e8n }, /slot has no bytes in the file/)
  refused(t, { slot: 0x900000n }, /slot is in none of its segments/)
  t.throws(() => composeImage({ kernel: new Uint8Array(100), snapshot, metadata }), {
    instanceOf: ImageError,
    message: /the kernel is not an ELF file.*make kernel/,
  })
})

test('files that are not images are refused with what to do', t => {
  const read = (file: Uint8Array, message: RegExp) => t.throws(() => readImage(file), { instanceOf: ImageError, message })
  read(new Uint8Array(), /not an ELF file.*xen-ts build/)
  read(Buffer.from('#!/bin/sh\n'.repeat(20)), /not an ELF file.*xen-ts build/)
  read(gzipSync(Buffer.from('hello')), /not an ELF file/)
  read(gzipSync(compose().image).subarray(0, 5000), /not whole/)
  read(smallKernel(), /without the note of a \.xen file/)
  read(compose().image.subarray(0, 10_000), /cut off/)
  const wrongMachine = compose().image
  wrongMachine[18] = 3
  read(wrongMachine, /not an executable for x86-64/)
})

test('no change of a byte of the headers makes the reader fail otherwise than with its own error', t => {
  const { image } = compose()
  for (let at = 0; at < 64 + 6 * 56; at++) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const changed = image.slice()
      changed[at] = value
      try {
        readNotes(readElf(changed, 'it'), 'it')
        readImage(changed)
      } catch (error) {
        t.regex((error as Error).name, /^(ElfError|ImageError)$/, `byte ${at} = ${value}: ${(error as Error).stack}`)
      }
    }
  }
  t.pass()
})
