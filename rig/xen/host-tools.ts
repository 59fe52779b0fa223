import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { RigError } from './errors.ts'
import { type Log, run } from './run.ts'

/** A program of the host, the Debian package that it comes from, and what it is for. */
export type HostTool = readonly [program: string, debianPackage: string, purpose: string]

/** What the rig calls. */
const needed: readonly HostTool[] = [
  ['qemu-system-x86_64', 'qemu-system-x86', 'emulates the machine'],
  ['gcc', 'gcc', 'compiles the helper programs of dom0, once'],
  ['readelf', 'binutils', 'tells which libraries a program needs'],
  ['dpkg-deb', 'dpkg', "unpacks Debian's packages"],
  ['xz', 'xz-utils', 'unpacks the Linux of dom0'],
  ['setpriv', 'util-linux', 'ends the machine with the process that started it'],
]

/** How programs are found and installed; otherwise in tests. */
export interface Host {
  has(program: string): Promise<boolean>
  aptGet(...args: string[]): Promise<void>
}

/**
 * Makes sure that the host has QEMU and a C compiler, or other tools; installs what is missing with apt-get, and says so.
 * @throws RigError that names the programs, what each is for and the command that installs them
 */
export async function ensureHostTools(
  log: Log,
  host: Host = { has: isInstalled, aptGet: aptGetAsRoot },
  tools: readonly HostTool[] = needed,
): Promise<void> {
  const missing: HostTool[] = []
  for (const tool of tools) {
    if (!(await host.has(tool[0]))) missing.push(tool)
  }
  const purposes = missing.map(([program, , purpose]) => `${program}: ${purpose}`).join('\n')
  if (!(await host.has('apt-get'))) {
    throw new RigError(
      "The emulated Xen is made of Debian's packages, and this host has no apt-get",
      purposes || undefined,
      'Run it on Debian, or in a virtual machine or a container with Debian.',
    )
  }
  if (missing.length === 0) return
  const packages = missing.map(([, debianPackage]) => debianPackage)
  log(`installing ${packages.join(', ')} with apt-get, for the emulated Xen`)
  try {
    await host.aptGet('update', '-qq')
    await host.aptGet('install', '-y', '-qq', '--no-install-recommends', ...packages)
  } catch (cause) {
    throw new RigError(
      'The emulated Xen needs programs that this host lacks, and apt-get could not install them',
      `${purposes}\n${(cause as Error).message}`,
      `Install them: apt-get install --no-install-recommends ${packages.join(' ')}`,
      { cause },
    )
  }
}

/** Runs apt-get as root, by sudo (without asking for a password) if need be. */
export async function aptGetAsRoot(...args: string[]): Promise<void> {
  if (process.getuid?.() === 0) await run('apt-get', args, { seconds: 900 })
  else if (await isInstalled('sudo')) await run('sudo', ['-n', 'apt-get', ...args], { seconds: 900 })
  else throw new RigError('apt-get needs root, and there is no sudo', `apt-get ${args.join(' ')}`)
}

async function isInstalled(program: string): Promise<boolean> {
  // Plain users often lack /usr/sbin in PATH, but may run what is there.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  for (const folder of folders) {
    if (await exists(join(folder, program), constants.X_OK)) return true
  }
  return false
}

async function exists(path: string, mode = constants.R_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  )
}
