import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { readImage } from '../image/compose.ts'
import { readElf, segmentFlag, segmentType } from '../image/elf.ts'
import { makeImage } from '../image/fixture/make.ts'
import { buildKernel } from './build.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'xen-ts-kernel-'))
const kernel = join(folder, 'kernel.elf')

test.before(async () => {
  await buildKernel({ engineDir: join(here, '../build/engine'), out: kernel })
})
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

test('no segment of the image is both writable and executable, and each has its own pages', t => {
  const loads = readElf(readFileSync(kernel), 'kernel.elf').segments.filter(({ type }) => type === segmentType.load)
  t.is(loads.length, 3)
  for (const { flags, physicalAddress } of loads) {
    t.not(flags & (segmentFlag.write | segmentFlag.execute), segmentFlag.write | segmentFlag.execute)
    t.is(Number(physicalAddress) % 4096, 0)
  }
})

test('the page fault handler and what it calls use no SSE register', t => {
  for (const object of ['traps', 'traps-asm', 'linear', 'paging', 'frames']) {
    const code = execFileSync('objdump', ['-d', join(folder, `kernel/${object}.o`)], { encoding: 'utf8' })
    t.regex(code, /ret/)
    t.notRegex(code, /%[xyz]mm/, object)
    t.notRegex(execFileSync('nm', [join(folder, `kernel/${object}.o`)], { encoding: 'utf8' }), / U mem(cpy|set|move)/, object)
  }
})

test("an image's code reaches functions of kernel and engine", async t => {
  const target = (name: string) => [{ offset: 0, kind: 'abs64' as const, target: name, addend: 0 }]
  const linked = async (name: string) => {
    const part = { name: 'part', bytes: new Uint8Array(8), align: 8, relocations: target(name) }
    const { image } = await makeImage(undefined, kernel, [part])
    const code = readImage(image).segments.find(({ physicalAddress, flags }) => flags === 5 && physicalAddress > 0x100000n)!
    return Buffer.from(code.bytes).readBigUInt64LE(code.bytes.length - 8)
  }
  const names = execFileSync('nm', [kernel], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(line => line.split(' '))
  for (const name of ['strlen', 'engine_QTS_Throw', 'engine_trap', 'trap_stubs'])
    t.is(await linked(name), BigInt(`0x${names.find(row => row[2] === name)![0]}`), name)
})

test('building again makes nothing again', async t => {
  const results = () =>
    [
      'kernel.elf',
      ...readdirSync(join(folder, 'kernel'))
        .filter(name => name.endsWith('.o'))
        .map(name => `kernel/${name}`),
    ].map(name => [name, statSync(join(folder, name)).mtimeMs])
  const before = results()
  t.true(before.length > 20)
  await buildKernel({ engineDir: join(here, '../build/engine'), out: kernel })
  t.deepEqual(results(), before)
})

test('an engine that is not there is an error that says what to do', async t => {
  const error = await t.throwsAsync(buildKernel({ engineDir: join(folder, 'none'), out: kernel }))
  t.regex(error.message, /engine\.o is missing: build the engine first/)
})

test('libc, formatting, dates and ChaCha20', t => {
  const program = join(folder, 'units')
  execFileSync(
    'gcc',
    [
      '-std=gnu11',
      '-O2',
      '-ffreestanding',
      '-fno-builtin',
      '-fno-tree-loop-distribute-patterns',
      '-fno-stack-protector',
      '-nostdlib',
      '-static',
      '-no-pie',
      '-fno-pic',
      '-w',
      '-o',
      program,
      join(here, 'fixture/units.c'),
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const lines = execFileSync(program, { encoding: 'utf8' }).trim().split('\n')
  const said = (word: string) => lines.filter(line => line.startsWith(`${word} `)).map(line => line.slice(word.length + 1))
  t.deepEqual(said('moves'), ['0'])
  t.deepEqual(said('compare'), ['0 1 1'])
  t.deepEqual(said('format'), ['[   42] [-42] [beef] [0000000000001234] [xyz] [%] [-9223372036854775808]'])
  t.deepEqual(said('cut'), ['7 longer '])
  t.deepEqual(said('chacha'), [
    'e4e7f110 15593bd1 1fdd0f50 c47120a3 c7f4d1c7 0368c033 9aaa2204 4e6cd4c3 466482d2 09aa9f07 05d7c214 a2028bd9 d19c12b5 b94e16de e883d0cb 4e3c50a2',
  ])
  t.deepEqual(said('random'), ['differs 1'])
  for (const line of said('date')) {
    const [seconds, date, weekday] = line.split(' ')
    const expected = new Date(Number(seconds) * 1000)
    t.is(date, expected.toISOString())
    t.is(Number(weekday), expected.getUTCDay())
  }
})
