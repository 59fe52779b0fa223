/** A program whose functions are compiled bodies, on real Xen: it does what it does interpreted, is saved and restored, and a fault in a body is reported. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Domain, Rig, type SavedDomain } from '@xen-ts/rig/xen'
import test from 'ava'
import { compileBodies } from '../engine/ahead/compile.ts'
import { functionsOf } from '../engine/ahead/functions.ts'
import { engineFolder } from '../engine/build.ts'
import { readStencilFile } from '../engine/stencils/file.ts'
import { makeBodies } from '../image/bodies.ts'
import { composeImage } from '../image/compose.ts'
import { makeSnapshot } from '../image/snapshot.ts'

const folder = mkdtempSync(join(tmpdir(), 'xen-ts-bodies-'))
const kernel = join(folder, 'abi.xen')
const file = (path: string) => readFileSync(new URL(path, import.meta.url))
let rig: Rig
let domains = 0

test.before(async t => {
  t.timeout(900_000)
  const snapshot = await makeSnapshot({ bundle: file('fixture/abi.js').toString(), filename: 'abi.js', program: 'abi' })
  const functions = functionsOf(snapshot)
  const compiled = await compileBodies(functions, engineFolder)
  t.true(compiled.bodies.size > 50, `${compiled.bodies.size} of ${functions.length}`)
  const stencils = readStencilFile(readFileSync(join(engineFolder, 'stencils.json'), 'utf8'))
  const made = makeBodies(snapshot, stencils, new Set(functions.map(({ address }) => address)), compiled)
  const metadata = { name: 'abi', target: 'xen' }
  writeFileSync(kernel, composeImage({ kernel: file('../build/kernel.elf'), snapshot: made.snapshot, metadata, code: made.code }).image)
  rig = await Rig.start({ onProgress: line => t.log(line) })
})
test.after.always(async () => {
  await rig?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const start = (cmdline: string) => rig.createDomain({ name: `bodies${domains++}`, kernel, memory: 32, cmdline, paused: true })

/** Lets a paused domain run to its end, and gives what it wrote. */
async function read(domain: Domain, at?: string, then?: () => Promise<unknown>) {
  const timer = setTimeout(() => void domain.destroy(), 120_000)
  let text = '',
    called: Promise<unknown> | undefined
  const reading = (async () => {
    for await (const part of domain.console) {
      text += part
      if (at !== undefined && text.includes(at)) called ??= then?.()
    }
  })()
  await domain.unpause()
  const { reason } = await domain.wait()
  clearTimeout(timer)
  await Promise.all([reading, called])
  return { text, reason }
}

test.serial('the ABI, and a stack that becomes full', async t => {
  const { text, reason } = await read(await start('abi deep'))
  t.notRegex(text, /FAILED/, text)
  t.regex(text, /checks \d+[^]*the stack was full/, text)
  t.is(reason, 'poweroff')
})

test.serial('a restore goes on in a new domain', async t => {
  const domain = await start('suspend deep')
  let saved: SavedDomain | undefined
  const { text: before, reason } = await read(domain, 'waiting for', async () => {
    saved = await domain.save()
  })
  t.is(reason, 'suspend', before)
  const { text, reason: end } = await read(await rig.restore(saved!, { paused: true }))
  t.regex(text, /resumed 0[^]*the stack was full/, text)
  t.notRegex(text, /FAILED/, text)
  t.is(end, 'poweroff')
  await rig.must(`rm ${saved!.file}`)
})

test.serial('a fault inside of a body is reported with the part of the code and the JavaScript stack', async t => {
  const { text, reason } = await read(await start('reserved'))
  t.log(text)
  t.regex(text, /page fault: read of an unmapped page\s+address 90\w+ \(I\/O area, reserved page without a foreign page in it\)/, text)
  t.regex(text, /rip +\w+ \(the image's code, bodies\)/, text)
  t.regex(text, /JavaScript stack:\s+at inner \(abi\.js:\d+:\d+\)\s+at reserved \(abi\.js:\d+:\d+\)\s+at turn \(abi\.js/, text)
  t.is(reason, 'crash')
})
