import { glob, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RigError } from '../xen/errors.ts'
import { type Log, run } from '../xen/run.ts'

/** A source package of Debian, and where to look for it. */
export interface SourcePackage {
  name: string
  /** The first that will do: MAJOR.MINOR. */
  version: string
  /** Releases of Debian that may have it, in the order in which they are asked. */
  suites: readonly string[]
}

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/**
 * Downloads a source package by apt, with package lists of its own, and unpacks it. apt checks signatures.
 * @param work an empty folder, for all of it
 * @returns the folder of the source
 */
export async function fetchSource({ name, version, suites }: SourcePackage, work: string, log: Log): Promise<string> {
  const mirror = await debianMirror()
  for (const suite of suites) {
    const folder = join(work, suite)
    for (const part of ['lists/partial', 'archives/partial']) await mkdir(join(folder, part), { recursive: true })
    await writeFile(join(folder, 'sources.list'), `deb-src [signed-by=${keyring}] ${mirror} ${suite} main\n`)
    const state = [
      `Dir::Etc::SourceList=${folder}/sources.list`,
      'Dir::Etc::SourceParts=/dev/null',
      `Dir::State::Lists=${folder}/lists`,
      `Dir::Cache=${folder}`,
      // apt's own user may have no access to the folder.
      ...(process.getuid?.() === 0 ? ['APT::Sandbox::User=root'] : []),
    ].flatMap(option => ['-o', option])
    log(`looking for ${name} ${version} in Debian ${suite}`)
    await run('apt-get', [...state, 'update', '-qq'], { seconds: 600 })
    const records = await run('apt-cache', [...state, 'showsrc', name]).catch(() => '')
    const found = [...records.matchAll(/^Version: (\S+)/gm)].map(([, text]) => text!).find(text => reaches(text, version))
    if (found === undefined) continue
    log(`downloading the source of ${name} ${found}`)
    // The archive of upstream alone, by the hash in the signed list: Debian's patches of it change how its own packages are made.
    await run('apt-get', [...state, 'source', '-qq', '--download-only', '--tar-only', `${name}=${found}`], { cwd: folder, seconds: 600 })
    for await (const archive of glob(join(folder, '*.orig.tar.*'))) {
      const source = join(work, 'source')
      await mkdir(source)
      await run('tar', ['-xf', archive, '-C', source, '--strip-components=1'])
      return source
    }
  }
  throw new RigError(
    `No release of Debian that was looked at has ${name} ${version} or later`,
    suites.join(', '),
    'Name the one that has it in the file that asked.',
  )
}

/** Whether a version of Debian, such as 1:3.0+dfsg-1, is this one of upstream or later. */
export function reaches(version: string, wanted: string): boolean {
  const numbers = (text: string) => /^(?:\d+:)?(\d+)(?:\.(\d+))?/.exec(text)!.slice(1).map(Number)
  const [major, minor] = numbers(version),
    [leastMajor, leastMinor] = numbers(wanted)
  return major! > leastMajor! || (major === leastMajor && (minor || 0) >= (leastMinor || 0))
}

/** Where the host's own packages come from. */
async function debianMirror(): Promise<string> {
  const targets = await run('apt-get', ['indextargets', '--format', '$(LABEL)\t$(REPO_URI)', 'Created-By: Packages'])
  for (const line of targets.split('\n')) {
    const [label, uri] = line.split('\t')
    if (uri && (label === 'Debian' || /\/debian\/?$/.test(uri))) return uri
  }
  throw new RigError('apt on this host knows no mirror of Debian', targets, "Name one in apt's sources, and run apt-get update.")
}
