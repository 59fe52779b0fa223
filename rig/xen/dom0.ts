import { createHash } from 'node:crypto'
import { access, glob, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, extname, join, sep } from 'node:path'
import { markUsed, removeOld } from './cache.ts'
import { unpack } from './compression.ts'
import { type Entry, writeCpio } from './cpio.ts'
import { RigError } from './errors.ts'
import { ensureHostTools } from './host-tools.ts'
import { moduleOrder, readModule, sharedLibraries } from './libraries.ts'
import { unpackPackages } from './packages.ts'
import { checkQemu, chooseRelease, type Release } from './releases.ts'
import { type Log, run } from './run.ts'
import { fileIn, libraryFolders } from './tree.ts'

const here = import.meta.dirname
const sources = join(here, 'dom0')

/**
 * What dom0 is made of. libxen-dev and the headers of the C library are for compiling our tools against the same versions.
 */
export function dom0Packages({ xen }: Pick<Release, 'xen'>): string[] {
  return [
    'linux-image-amd64',
    `xen-hypervisor-${xen}-amd64`,
    `xen-utils-${xen}`,
    'xenstore-utils',
    'busybox-static',
    'libxen-dev',
    `libxenmisc${xen}`,
    'libxencall1',
    'libxenevtchn1',
    'libxengnttab1',
    'libxenforeignmemory1',
    'libxendevicemodel1',
    xen === '4.14' ? 'libxenstore3.0' : 'libxenstore4',
    'libxentoolcore1',
    'libxentoollog1',
    'libxenhypfs1',
    'libyajl2',
    'libuuid1',
    'liblzma5',
    'libzstd1',
    'zlib1g',
    'libgcc-s1',
    'libc6',
    'libc6-dev',
    'linux-libc-dev',
  ]
}

/** Loaded in this order, each after what it depends on. A file NAME.ko.options gives options. */
const modules = ['xen-privcmd', 'xenfs', 'xen-evtchn', 'xen-gntdev', 'xen-gntalloc', 'virtio-pci', 'virtio-net', 'xen-netback']
const moduleOptions: Record<string, string> = {
  // The default of 1,024 shared pages would be used up by 31 vchans of qrexec's size.
  'xen-gntalloc': 'limit=16384',
}

/** Where Debian has Xen's own programs. */
export const xenProgram = (xen: Release['xen'], name: string) => `usr/lib/xen-${xen}/bin/${name}`
const xenPrograms = ['xl', 'xentrace', 'xenstored', 'xenconsoled', 'xen-init-dom0', 'libxl-save-helper']
const otherPrograms = [
  'xenstore-read',
  'xenstore-write',
  'xenstore-ls',
  'xenstore-rm',
  'xenstore-list',
  'xenstore-watch',
  'xenstore-exists',
  'xenstore-chmod',
].map(name => `usr/bin/${name}`)
const ourTools = [
  'vchan-bridge',
  'vchan-load',
  'frames',
  'domain-wait',
  'domain-sleep',
  'follow',
  'boot-clock',
  'granted-pages',
  'cpu-time',
  'capture',
  'syn-flood',
  'crowd',
  'datagrams',
  'fuzz-frames',
]

/** The files that a machine with Xen starts from. */
export interface RigFiles {
  /** Which Xen, of which Debian. */
  release: Release
  /** Folder that holds them all, under the names below. */
  folder: string
  /** The hypervisor, unpacked: QEMU loads it as a multiboot kernel. */
  xen: string
  /** Debian's kernel, unpacked: for dom0, and for Linux guests. */
  vmlinux: string
  /** dom0's initramfs. */
  dom0: string
  /** Unpacked Debian packages that it was made from. */
  tree: string
}

/** Where the rig keeps what it made, unless told otherwise: in the workspace; of an installed package, where the user's caches are. */
export const defaultCache = here.split(sep).includes('node_modules')
  ? join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'xen-ts/rig')
  : join(here, '../../.cache/rig')

/**
 * Makes everything that the rig needs, or finds it made: host programs, Debian packages, dom0's initramfs.
 * The first time takes a minute and needs the network; later a few milliseconds.
 * @param xen its version; the host's own unless told otherwise (chooseRelease)
 * @param processor that of AMD is QEMU's, which does not go with each Xen
 */
export async function ensureRig({
  xen,
  processor = 'amd',
  cache = defaultCache,
  log = () => {},
}: {
  xen?: string
  processor?: 'amd' | 'intel'
  cache?: string
  log?: Log
} = {}): Promise<RigFiles> {
  const release = chooseRelease(xen)
  await ensureHostTools(log)
  if (processor === 'amd') checkQemu(release, await run('qemu-system-x86_64', ['--version']))
  const tree = await unpackPackages(dom0Packages(release), cache, log, release)
  const id = createHash('sha256').update(tree.id)
  const own = ['dom0', 'libraries', 'compression', 'cpio', 'tree'].map(name => name + extname(import.meta.filename))
  for (const file of [...own, ...(await readdir(sources)).sort().map(name => `dom0/${name}`)]) {
    id.update(await readFile(join(here, file)))
  }
  const folder = join(cache, `dom0-${release.xen}-${id.digest('hex').slice(0, 16)}`)
  const files: RigFiles = {
    release,
    folder,
    xen: join(folder, 'xen'),
    vmlinux: join(folder, 'vmlinux'),
    dom0: join(folder, 'dom0.img'),
    tree: tree.root,
  }
  if (
    await access(files.dom0).then(
      () => true,
      () => false,
    )
  ) {
    await markUsed(folder)
    return files
  }

  log(`making the initramfs of dom0, with ${ourTools.length} helper programs that gcc compiles`)
  const work = await mkdtemp(join(cache, 'making-'))
  try {
    await mkdir(join(work, 'out'))
    await compileTools(tree.root, join(work, 'out'))
    await writeFile(join(work, 'out/dom0.img'), writeCpio(await dom0Files(release, tree.root, join(work, 'out'))))
    await writeFile(join(work, 'out/vmlinux'), await unpackLinux(await readFile(await one(tree.root, 'boot/vmlinuz-*'))))
    await writeFile(join(work, 'out/xen'), (await unpack(await readFile(await one(tree.root, 'boot/xen-*.gz'))))!)
    await rename(join(work, 'out'), folder).catch(async (error: unknown) => {
      if (
        !(await access(files.dom0).then(
          () => true,
          () => false,
        ))
      )
        throw error
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  await removeOld(cache, [folder, tree.root], log)
  return files
}

/**
 * Makes gcc use the headers, start files and libraries of a tree: its C library may be older than the host's, of which such a program then
 * needs nothing. --sysroot alone leaves those that lie beside gcc in front.
 */
export function compileFor(tree: string): string[] {
  const folders = libraryFolders.map(folder => join(tree, folder))
  return [`--sysroot=${tree}`, ...folders.flatMap(folder => [`-B${folder}/`, `-L${folder}`, `-Wl,-rpath-link,${folder}`])]
}

async function compileTools(tree: string, out: string): Promise<void> {
  for (const name of ourTools) {
    await run('gcc', [
      '-std=gnu11',
      '-D__XEN_TOOLS__',
      '-O2',
      '-Wall',
      '-Wextra',
      '-Werror',
      ...compileFor(tree),
      '-o',
      join(out, name),
      join(sources, `${name}.c`),
      '-Wl,--as-needed',
      '-lxenvchan',
      '-lxenctrl',
      '-lxenforeignmemory',
      '-lxengnttab',
      '-lxenstore',
      '-lxenlight',
      '-lxentoollog',
    ])
  }
}

async function dom0Files({ xen }: Release, tree: string, tools: string): Promise<Map<string, Entry>> {
  const paths = [...xenPrograms.map(name => xenProgram(xen, name)), ...otherPrograms]
  const programs = paths.map(path => ({ path, file: join(tree, path) }))
  programs.push(...ourTools.map(name => ({ path: `usr/bin/${name}`, file: join(tools, name) })))
  const files = await busyboxFiles(tree)
  files.set('init', { content: await readFile(join(sources, 'init')), mode: 0o755 })
  files.set('etc/xen/scripts/vif', { content: await readFile(join(sources, 'vif')), mode: 0o755 })
  // xl insists on its configuration file, which may be empty.
  files.set('etc/xen/xl.conf', { content: '' })
  files.set('etc/passwd', { content: 'root:x:0:0:root:/:/bin/sh\n' })
  files.set('usr/lib/xen', { link: `xen-${xen}` })
  files.set('var/run', { link: '/run' })
  for (const { path, file } of programs) files.set(path, { content: await readFile(file), mode: 0o755 })
  // xl ends a thread by pthread_cancel, for which the C library loads libgcc_s by name.
  for (const [path, file] of await sharedLibraries(
    tree,
    programs.map(({ file }) => file),
    ['libgcc_s.so.1'],
  )) {
    files.set(path, { content: await readFile(file), mode: 0o755 })
  }
  await addModules(files, tree, modules, moduleOptions)
  return files
}

/** busybox with all its names, and the folders and the console that every init needs. */
export async function busyboxFiles(tree: string): Promise<Map<string, Entry>> {
  const busybox = (await fileIn(tree, 'bin/busybox')) ?? join(tree, 'bin/busybox')
  const files = new Map<string, Entry>([
    ['bin/busybox', { content: await readFile(busybox), mode: 0o755 }],
    ['dev/console', { device: [5, 1] }],
  ])
  for (const applet of (await run(busybox, ['--list'])).trim().split('\n')) {
    if (applet !== 'busybox') files.set(`bin/${applet}`, { link: 'busybox' })
  }
  for (const folder of ['proc', 'sys', 'run', 'tmp']) files.set(`${folder}/.keep`, { content: '' })
  return files
}

/** Adds kernel modules as modules/NN-NAME.ko, so that a shell's `modules/*` lists them in the order of loading. */
export async function addModules(
  files: Map<string, Entry>,
  tree: string,
  names: string[],
  options: Record<string, string> = {},
): Promise<void> {
  const available = new Map<string, string>()
  for await (const file of glob(join(tree, 'lib/modules/*/kernel/**/*.{ko,ko.xz}'))) {
    available.set(moduleName(file), file)
  }
  const builtIn = new Set((await readFile(await one(tree, 'lib/modules/*/modules.builtin'), 'utf8')).trim().split('\n').map(moduleName))
  for (const [index, { name, file }] of (await moduleOrder(names, available, builtIn)).entries()) {
    const path = `modules/${String(index).padStart(2, '0')}-${name}.ko`
    files.set(path, { content: await readModule(file) })
    if (options[name]) files.set(`${path}.options`, { content: options[name] })
  }
}

const moduleName = (path: string) =>
  basename(path)
    .replace(/\.ko(\.xz)?$/, '')
    .replaceAll('_', '-')

/**
 * The ELF file that is compressed inside a bzImage (Documentation/x86/boot.rst: payload_offset, payload_length). Unpacking it here takes
 * a second; leaving it to Xen under emulation would take three at each start.
 */
async function unpackLinux(bzImage: Buffer): Promise<Buffer> {
  const setupEnd = ((bzImage[0x1f1] || 4) + 1) * 512
  const start = setupEnd + bzImage.readUInt32LE(0x248)
  // The last four bytes are the unpacked length, which is not part of the compressed file.
  const kernel = await unpack(bzImage.subarray(start, start + bzImage.readUInt32LE(0x24c) - 4))
  if (kernel) return kernel
  throw new RigError("Debian's kernel is compressed in a new way", undefined, 'Teach rig/xen/compression.ts the format.')
}

async function one(root: string, pattern: string): Promise<string> {
  for await (const file of glob(join(root, pattern))) return file
  throw new Error(`no ${pattern} in ${root}`)
}
