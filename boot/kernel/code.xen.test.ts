/** Code of an image's own on real Xen: it runs, it calls the kernel, and nobody can write to it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Rig } from '@xen-ts/rig/xen'
import test from 'ava'
import type { CodePart } from '../image/code.ts'
import { makeImage } from '../image/fixture/make.ts'

/** u32 selftest(u32 n) { return strlen(text) + n; } */
const code: CodePart[] = [
  {
    name: 'selftest',
    // push rdi; lea rdi, text; call strlen; pop rdi; add eax, edi; ret
    bytes: Uint8Array.from([0x57, 0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0x5f, 0x01, 0xf8, 0xc3]),
    align: 16,
    relocations: [
      { offset: 4, kind: 'pc32', target: { part: 'text', offset: 0 }, addend: -4 },
      { offset: 9, kind: 'pc32', target: 'strlen', addend: -4 },
    ],
  },
  { name: 'text', bytes: new TextEncoder().encode('hello\0'), align: 1, relocations: [] },
  // More than a page, so that the direct map has to leave out several.
  { name: 'filling', bytes: new Uint8Array(10_000).fill(0xf4), align: 16, relocations: [] },
]

/** ud2 */
const fault: CodePart[] = [{ name: 'selftest', bytes: Uint8Array.from([0x0f, 0x0b]), align: 16, relocations: [] }]

const folder = mkdtempSync(join(tmpdir(), 'xen-ts-code-'))
const images = { works: join(folder, 'code.xen'), fails: join(folder, 'fault.xen') }
let rig: Rig

test.before(async t => {
  t.timeout(600_000)
  writeFileSync(images.works, (await makeImage(undefined, undefined, code)).image)
  writeFileSync(images.fails, (await makeImage(undefined, undefined, fault)).image)
  rig = await Rig.start({ onProgress: line => t.log(line) })
})
test.after.always(async () => {
  await rig?.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function run(selftest: string, kernel = images.works) {
  const cmdline = selftest && `selftest=${selftest}`
  const domain = await rig.createDomain({ name: selftest || 'plain', kernel, memory: 32, cmdline, paused: true })
  const timer = setTimeout(() => void domain.destroy(), 60_000)
  let text = ''
  const reading = (async () => {
    for await (const part of domain.console) text += part
  })()
  await domain.unpause()
  const { reason } = await domain.wait()
  clearTimeout(timer)
  await reading
  return { text, reason }
}

test.serial('a program runs beside the code', async t => {
  const { text, reason } = await run('')
  t.regex(text, /first light[^]*bye/, text)
  t.is(reason, 'poweroff')
})

test.serial('the code is executed, and calls a function of the kernel', async t => {
  const { text } = await run('run-code')
  t.regex(text, /the code returned 1239\s/, text)
})

test.serial('the code cannot be written, at none of its addresses; the report names the place', async t => {
  const own = await run('write-code')
  t.regex(own.text, /page fault: write forbidden by the page's rights\s+address ffffffff80\w+ \(the image's code, its header\)/, own.text)
  t.is(own.reason, 'crash')
  const alias = await run('write-code-alias')
  t.regex(
    alias.text,
    /page fault: write of an unmapped page\s+address ffff8000\w+ \(direct map, where the image's code is left out\)/,
    alias.text,
  )
  t.is(alias.reason, 'crash')
})

test.serial('a trap in the code is reported with the name of its part', async t => {
  const { text, reason } = await run('run-code', images.fails)
  t.regex(text, /invalid instruction[^]*rip\s+ffffffff80\w+ \(the image's code, selftest\)/, text)
  t.is(reason, 'crash')
})
