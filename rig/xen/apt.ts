import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RigError } from './errors.ts'
import { aptGetAsRoot } from './host-tools.ts'
import { hostRelease, type Release } from './releases.ts'
import { type Log, run } from './run.ts'

/** Says where Debian's packages are, when the host's apt does not: one address, or two with that of the security updates. */
const VARIABLE = 'XEN_TS_DEBIAN_MIRROR'

const CONFIGURATION = 'apt.conf'

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** apt with the package lists of one release. */
export interface Apt {
  /** Downloads packages, in their newest versions, into a folder. */
  download(names: readonly string[], folder: string): Promise<void>
  /** What `apt-cache depends` prints. */
  depends(name: string): Promise<string>
  /** Fetches the package lists anew. */
  update(): Promise<void>
}

/** The host's own apt for its own release (or when none is asked for), else one with a state of its own below the cache. */
export async function aptOf(release: Release | undefined, cache: string, log: Log): Promise<Apt> {
  if (release === undefined || release === hostRelease()) return commands([], () => updateHost(log))
  const folder = join(cache, `apt-${release.codename}`)
  const update = () => makeState(release, cache, folder, log)
  if (!(await exists(folder))) await update()
  return commands(['-c', join(folder, CONFIGURATION)], update)
}

function commands(options: readonly string[], update: () => Promise<void>): Apt {
  return {
    async download(names, cwd) {
      await run('apt-get', [...options, 'download', ...names], { cwd, seconds: 600 })
    },
    depends: name => run('apt-cache', [...options, 'depends', name]),
    update,
  }
}

async function updateHost(log: Log): Promise<void> {
  log('updating the package lists with apt-get update')
  await aptGetAsRoot('update', '-qq').catch((error: Error) => log(error.message))
}

/** Fetches the lists into a new folder, which then takes the place of the old one: whole, also when two processes do it at a time. */
async function makeState(release: Release, cache: string, folder: string, log: Log): Promise<void> {
  const sources = await sourcesOf(release)
  log(`fetching the package lists of Debian ${release.debian} (${release.codename}), for Xen ${release.xen}`)
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, 'unpacking-'))
  try {
    await writeFile(join(work, 'sources.list'), sources)
    await writeFile(join(work, 'status'), '')
    await writeFile(join(work, CONFIGURATION), configuration(work))
    await mkdir(join(work, 'lists/partial'), { recursive: true })
    await fetchLists(release, work)
    await writeFile(join(work, CONFIGURATION), configuration(folder))
    await rm(folder, { recursive: true, force: true })
    await rename(work, folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error
    })
  } catch (cause) {
    throw new RigError(
      `The package lists of Debian ${release.debian} (${release.codename}) could not be fetched`,
      `${(cause as Error).message}\n${sources}`,
      `Check the network. Of NO_PUBKEY a newer debian-archive-keyring is the cure. ${VARIABLE} names another mirror: an archive, when this one has that release no more.`,
      { cause },
    )
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Security updates may be missing, as for a release of which there are none any more; the release itself may not. */
async function fetchLists({ codename }: Release, folder: string): Promise<void> {
  const options = ['-c', join(folder, CONFIGURATION), 'update', '-qq']
  await run('apt-get', options, { seconds: 600 })
  if ((await readdir(join(folder, 'lists'))).some(name => name.includes(`_dists_${codename}_main_`))) return
  // By its exit code apt has succeeded; asked again, it says why it has nothing.
  await run('apt-get', ['-o', 'APT::Update::Error-Mode=any', '-o', 'Acquire::Retries=0', ...options], { seconds: 600 })
  throw new RigError('apt-get fetched no list of packages')
}

/** Lets apt see nothing of the host but how it reaches the network. */
function configuration(folder: string): string {
  const options = {
    'Dir::State': folder,
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Cache::pkgcache': '',
    'Dir::Cache::srcpkgcache': '',
    'Dir::Etc::SourceList': join(folder, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'APT::Architecture': 'amd64',
    'APT::Architectures': 'amd64',
    'Acquire::Languages': 'none',
    'Acquire::GzipIndexes': 'true',
    // The lists of a release that is not supported any more are past their date.
    'Acquire::Check-Valid-Until': 'false',
    // apt's own user may have no access to the cache. Signatures are checked all the same.
    ...(process.getuid?.() === 0 ? { 'APT::Sandbox::User': 'root' } : {}),
  }
  // What the host does after its own updates is not for ours.
  const cleared = ['APT::Update::Post-Invoke', 'APT::Update::Post-Invoke-Success'].map(name => `#clear ${name};\n`)
  return (
    cleared.join('') +
    Object.entries(options)
      .map(([name, value]) => `${name} "${value}";\n`)
      .join('')
  )
}

async function sourcesOf(release: Release): Promise<string> {
  if (!(await exists(keyring))) {
    throw new RigError(
      `The keys that packages of Debian ${release.debian} are signed with are not there`,
      keyring,
      'Install them: apt-get install debian-archive-keyring',
    )
  }
  const known = await run('apt-get', ['indextargets', '--format', '$(LABEL)\t$(REPO_URI)', 'Created-By: Packages']).catch(() => '')
  return sourcesList(release, process.env[VARIABLE], known)
}

/**
 * The lines of sources.list for a release, from the mirror that the host uses.
 * @param asked one or two addresses, which come first
 * @param known lines of label and address, as `apt-get indextargets` tells them; labels are missing before the first update
 */
export function sourcesList({ codename, debian, xen }: Release, asked: string | undefined, known: string): string {
  const rows = known.split('\n').map(line => line.split('\t') as [label: string, uri?: string])
  const find = (label: string, path: RegExp) =>
    rows.find(([is, uri]) => uri && !uri.startsWith('cdrom:') && (is === label || path.test(uri)))?.[1]
  const [main, security] = asked?.trim()
    ? asked.trim().split(/\s+/)
    : [find('Debian', /\/debian\/?$/), find('Debian-Security', /\/debian-security\/?$/)]
  if (!main) {
    throw new RigError(
      `apt on this host knows no mirror of Debian, from which Xen ${xen} and the Linux of Debian ${debian} would come`,
      'apt-get indextargets',
      `Set ${VARIABLE} to the address of one.`,
    )
  }
  const lines = [`${main} ${codename}`, ...(security ? [`${security} ${codename}-security`] : [])]
  return lines.map(line => `deb [arch=amd64 signed-by=${keyring}] ${line} main\n`).join('')
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
