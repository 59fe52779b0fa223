import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { RigError } from '../xen/errors.ts'
import { ensureHostTools, type HostTool } from '../xen/host-tools.ts'
import { unpackPackages } from '../xen/packages.ts'
import { type Log, run } from '../xen/run.ts'
import { fetchSource, type SourcePackage } from './source.ts'

/** The first whose VMX and EPT are known to be enough for Xen. */
const source: SourcePackage = { name: 'bochs', version: '3.0', suites: ['trixie', 'sid'] }

const compilers: readonly HostTool[] = [
  ['g++', 'g++', 'compiles Bochs, once'],
  ['make', 'make', 'compiles Bochs, once'],
  ['strip', 'binutils', 'makes its program small'],
]

/** One CPU with VMX and EPT, a network card that Linux knows, and no window, sound or USB: a third of the time to compile. */
const configuration = [
  '--enable-x86-64',
  '--enable-cpu-level=6',
  '--enable-vmx=2',
  // Without EVEX, version 3.0 does not compile.
  '--enable-avx',
  '--enable-evex',
  '--enable-all-optimizations',
  '--enable-pci',
  '--enable-e1000',
  '--with-nogui',
  '--disable-plugins',
  '--disable-docbook',
  '--disable-gameport',
]

/** The BIOSes come as packages of the host's own release, for all versions of Bochs. */
const firmware = ['bochsbios', 'vgabios']

export interface BochsFiles {
  /** The emulator. */
  program: string
  bios: string
  vgaBios: string
}

/**
 * Compiles Bochs from Debian's source package, or finds it compiled. The first time takes minutes and needs the network; it needs
 * no root, except to install a compiler where there is none.
 */
export async function ensureBochs(cache: string, log: Log): Promise<BochsFiles> {
  const { root } = await unpackPackages(firmware, cache, log)
  const bios = join(root, 'usr/share/bochs/BIOS-bochs-latest'),
    vgaBios = join(root, 'usr/share/vgabios/vgabios.bin')
  const id = createHash('sha256')
    .update([JSON.stringify(source), ...configuration].join(' '))
    .digest('hex')
    .slice(0, 12)
  const folder = join(cache, `bochs-${id}`)
  const program = join(folder, 'bochs')
  if (
    !(await access(program).then(
      () => true,
      () => false,
    ))
  ) {
    await ensureHostTools(log, undefined, compilers)
    await mkdir(cache, { recursive: true })
    const work = await mkdtemp(join(cache, 'making-'))
    try {
      const folderOfSource = await fetchSource(source, work, log)
      await compile(folderOfSource, log)
      await mkdir(join(work, 'out'))
      await copyFile(join(folderOfSource, 'bochs'), join(work, 'out/bochs'))
      await rename(join(work, 'out'), folder).catch(async (error: unknown) => {
        // Another process may have been as fast.
        await access(program).catch(() => {
          throw error
        })
      })
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  }
  return { program, bios, vgaBios }
}

async function compile(source: string, log: Log): Promise<void> {
  log('configuring Bochs')
  await run('sh', ['./configure', ...configuration, 'CXXFLAGS=-O2', 'CFLAGS=-O2'], { cwd: source, seconds: 900 })
  // Some folders are visited twice.
  const total = new Set((await run('make', ['-n'], { cwd: source })).split('\n').filter(isCompilation)).size
  log(`compiling Bochs: ${total} files, about 3 minutes`)
  const complaints: string[] = []
  let done = 0
  const child = spawn('make', [`-j${availableParallelism()}`], { cwd: source, stdio: ['ignore', 'pipe', 'pipe'] })
  const killAtExit = () => child.kill()
  process.once('exit', killAtExit)
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', line => {
      // With more than one compiler at work, what is wrong may stand far above the last line.
      if (/error|undefined|Killed|\*\*\*/i.test(line) && !isCompilation(line)) complaints.push(line)
      if (isCompilation(line) && ++done % Math.ceil(total / 8) === 0) log(`compiling Bochs: ${Math.round((done / total) * 100)} %`)
    })
  }
  const code = await new Promise(resolve => child.once('close', resolve).once('error', resolve))
  process.off('exit', killAtExit)
  if (code !== 0)
    throw new RigError('Bochs could not be compiled', complaints.slice(0, 30).join('\n'), 'Is there enough disk space and memory?')
  await run('strip', ['bochs'], { cwd: source })
}

const isCompilation = (line: string): boolean => /^(g\+\+|gcc|c\+\+|cc) (.* )?-c /.test(line)
