/** The kernel's ABI on real Xen, from JavaScript without the runtime (fixture/abi.js). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Domain, Rig, type SavedDomain } from '@xen-ts/rig/xen'
import test from 'ava'
import { build } from 'esbuild'
import { makeImage } from '../image/fixture/make.ts'

const folder = mkdtempSync(join(tmpdir(), 'xen-ts-abi-'))
const image = join(folder, 'abi.xen')
let rig: Rig
let domains = 0

test.before(async t => {
  t.timeout(600_000)
  const { image: bytes } = await makeImage(new URL('fixture/abi.js', import.meta.url).pathname)
  writeFileSync(image, bytes)
  rig = await Rig.start({ onProgress: line => t.log(line) })
})
test.after.always(async () => {
  await rig?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** An image of a script that is a TypeScript module with others behind it. */
async function bundledImage(entry: string): Promise<string> {
  const script = join(folder, `${basename(entry, '.ts')}.js`)
  await build({ entryPoints: [fileURLToPath(new URL(entry, import.meta.url))], bundle: true, format: 'iife', outfile: script })
  const path = `${script}.xen`
  writeFileSync(path, (await makeImage(script)).image)
  return path
}

test.serial('the compiled functions do what their TypeScript does', async t => {
  const kernel = await bundledImage('fixture/compiled.ts')
  const { text, reason } = await read(await rig.createDomain({ name: 'compiled', kernel, memory: 32, cmdline: '', paused: true }))
  t.regex(text, /4000 inputs each, 0 differences/, text)
  t.is(reason, 'poweroff')
})

interface Options {
  readonly memory?: number
  readonly maxmem?: number
  readonly vcpus?: number
  readonly config?: string
  /** Called with the domain once it has printed `at`. */
  readonly at?: string
  readonly then?: (domain: Domain) => Promise<unknown>
}

async function run(cmdline: string, { memory = 32, at, then, ...rest }: Options = {}) {
  return read(await rig.createDomain({ name: `abi${domains++}`, kernel: image, memory, cmdline, paused: true, ...rest }), at, then)
}

/** Lets a paused domain run to its end, and gives what it wrote. */
async function read(domain: Domain, at?: string, then?: Options['then']) {
  const timer = setTimeout(() => void domain.destroy(), 120_000)
  let text = '',
    called: Promise<unknown> | undefined
  const reading = (async () => {
    for await (const part of domain.console) {
      text += part
      if (at !== undefined && text.includes(at)) called ??= then?.(domain)
    }
  })()
  await domain.unpause()
  const { reason } = await domain.wait()
  clearTimeout(timer)
  await Promise.all([reading, called])
  return { text, reason }
}

for (const [what, options] of [
  ['32 MiB', {}],
  ['6 MiB', { memory: 6 }],
  ['64 MiB of 4,600 MiB (two ranges of RAM)', { memory: 64, maxmem: 4600 }],
  ['two vCPUs and no RDRAND', { vcpus: 2, config: 'cpuid="host,rdrand=0,rdseed=0"' }],
] as const) {
  test.serial(`every function of the ABI checks its arguments and does its work: ${what}`, async t => {
    const { text, reason } = await run('abi', options)
    t.notRegex(text, /FAILED/, text)
    t.regex(text, /checks \d+/, text)
    t.is(reason, 'poweroff')
    t.is(/neither RDSEED nor RDRAND/.test(text), 'config' in options)
  })
}

test.serial('no event and no timer is lost in 1500 waits', async t => {
  const { text, reason } = await run('wakeups')
  t.regex(text, /1500 answers/, text)
  t.is(reason, 'poweroff')
})

test.serial('garbage that holds buffers is collected before memory ends', async t => {
  const { text, reason } = await run('cycles', { memory: 23 })
  t.regex(text, /collected beside 30/, text)
  t.is(reason, 'poweroff')
})

test.serial('console input arrives, and its port only when there is some', async t => {
  const { text } = await run('input', {
    at: 'type',
    then: domain => rig.must(`printf 'hello guest\\n' > $(xenstore-read /local/domain/${domain.domid}/console/tty)`),
  })
  t.notRegex(text, /FAILED/, text)
  t.regex(text, /got "hello guest\\n"/, text)
})

test.serial('a touch of a reserved page is reported with the JavaScript stack', async t => {
  const { text, reason } = await run('reserved')
  t.regex(text, /page fault: read of an unmapped page\s+address 90\w+ \(I\/O area, reserved page without a foreign page in it\)/, text)
  t.regex(text, /JavaScript stack:\s+at inner \(abi\.js:\d+:\d+\)\s+at reserved \(abi\.js/, text)
  t.is(reason, 'crash')
})

test.serial('a touch of a page that was given back is reported', async t => {
  const { text, reason } = await run('freed')
  t.regex(text, /write of an unmapped page\s+address 9\w+ \(I\/O area, free page/, text)
  t.is(reason, 'crash')
})

test.serial('when the error handler fails too, both errors are printed', async t => {
  const { text, reason } = await run('both')
  t.regex(text, /uncaught error: Error: the first error\s+at both \(abi\.js/, text)
  t.regex(text, /error handler failed: TypeError: the second error/, text)
  t.is(reason, 'crash')
})

test.serial('a cancelled suspend goes on in the same domain', async t => {
  const { text, reason } = await run('suspend', {
    at: 'waiting for',
    then: async domain => rig.must(`rm ${(await domain.checkpoint()).file}`),
  })
  t.regex(text, /resumed 1/, text)
  t.notRegex(text, /FAILED/, text)
  t.is(reason, 'poweroff')
})

test.serial('a restore goes on in a new domain: events, clocks, grant table, xenstore', async t => {
  let saved: SavedDomain | undefined
  const { text: before, reason } = await run('suspend', {
    at: 'waiting for',
    then: async domain => {
      saved = await domain.save()
    },
  })
  t.is(reason, 'suspend', before)
  const domain = await rig.restore(saved!, { paused: true })
  const { text, reason: end } = await read(domain)
  t.regex(text, /resumed 0/, text)
  t.notRegex(text, /FAILED/, text)
  t.is(end, 'poweroff')
  await rig.must(`rm ${saved!.file}`)
})

test.serial('a crash ends the domain though nobody reads the console', async t => {
  const domain = await rig.createDomain({
    name: 'silent',
    kernel: image,
    memory: 32,
    cmdline: `selftest=null-read ${'x'.repeat(980)}`,
    paused: true,
  })
  await rig.must('kill -STOP $(pidof xenconsoled)')
  try {
    await domain.unpause()
    const timer = setTimeout(() => void domain.destroy(), 60_000)
    t.is((await domain.wait()).reason, 'crash')
    clearTimeout(timer)
  } finally {
    await rig.must('kill -CONT $(pidof xenconsoled)')
  }
})
