import { readFileSync } from 'node:fs'
import { RigError } from './errors.ts'

/** A release of Debian: hypervisor, tools, kernel and C library that belong together. */
export interface Release {
  readonly xen: '4.14' | '4.17' | '4.20'
  readonly debian: 11 | 12 | 13
  readonly codename: 'bullseye' | 'bookworm' | 'trixie'
}

/** Which Xen there is, oldest first. 4.14 is that of Qubes R4.1, 4.17 that of R4.2; R4.3 has 4.19. */
export const releases: readonly Release[] = [
  { xen: '4.14', debian: 11, codename: 'bullseye' },
  { xen: '4.17', debian: 12, codename: 'bookworm' },
  { xen: '4.20', debian: 13, codename: 'trixie' },
]

/** Says which Xen the rig is to have, where nothing else does: for tests, of which each file starts a rig. */
const VARIABLE = 'XEN_TS_XEN'

/** The oldest QEMU whose processor kills guests of an older Xen. */
const STRICT_QEMU = 10

/**
 * The release to make a rig of.
 * @param asked a version of Xen; without one XEN_TS_XEN says it, and then the host: its own release, or the newest
 * @throws RigError that names the versions, when it is none of them
 */
export function chooseRelease(
  asked?: string,
  environment: NodeJS.ProcessEnv = process.env,
  host: Release | null = hostRelease() ?? null,
): Release {
  const wanted = asked ?? (environment[VARIABLE] || undefined)
  if (wanted === undefined) return host ?? releases.at(-1)!
  const release = releases.find(({ xen }) => xen === wanted)
  if (release) return release
  throw new RigError(
    `There is no Xen ${wanted} for the rig`,
    asked === undefined ? `${VARIABLE}=${wanted}` : `--xen ${wanted}`,
    `Choose one of ${releases.map(({ xen, debian }) => `${xen} (Debian ${debian})`).join(', ')}.`,
  )
}

/** The release that the host is; undefined when it is another Debian or none. */
export function hostRelease(osRelease = readOsRelease()): Release | undefined {
  if (!/^ID="?debian"?$/m.test(osRelease)) return undefined
  const version = Number(/^VERSION_ID="?(\d+)"?$/m.exec(osRelease)?.[1])
  return releases.find(({ debian }) => debian === version)
}

function readOsRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8')
  } catch {
    return ''
  }
}

/**
 * Refuses a pair that starts and then kills guests: QEMU's SVM tells of the bits of a move to CR2 in a way that Xen before 4.20 takes for
 * a move to CR0.
 * @param version what `qemu-system-x86_64 --version` prints
 */
export function checkQemu(release: Release, version: string): void {
  const [, number, major] = /version ((\d+)\.[\d.]*\d)/.exec(version) ?? []
  if (!(Number(major) >= STRICT_QEMU) || releases.indexOf(release) >= releases.findIndex(({ xen }) => xen === '4.20')) return
  throw new RigError(
    `Xen ${release.xen} does not run under QEMU ${number}: its guests would be killed at their first page fault`,
    version.split('\n')[0],
    'Choose Xen 4.20 (--xen 4.20), or use a QEMU before 10.0: that of Debian 12 is 7.2.',
  )
}
