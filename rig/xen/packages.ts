import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Apt, aptOf } from './apt.ts'
import { markUsed } from './cache.ts'
import { RigError } from './errors.ts'
import { hostRelease, type Release } from './releases.ts'
import { type Log, run } from './run.ts'
import { completeRoot } from './tree.ts'

/** The metapackage of the current kernel of Debian; the package that it depends on carries the version in its name. */
const kernelMetapackage = 'linux-image-amd64'

/** Debian packages unpacked into one tree. */
export interface PackageTree {
  /** Root folder of the tree. */
  root: string
  /** Names and versions, hashed: changes whenever the content may change. */
  id: string
}

/**
 * Downloads Debian packages with the host's apt and unpacks them, without installing anything. Done once: the versions found
 * the first time stay until the cache folder is deleted or the list of names changes.
 * @param names package names; `linux-image-amd64` stands for the kernel that it depends on
 * @param release whose packages; the host's own unless told otherwise
 */
export async function unpackPackages(
  names: readonly string[],
  cache: string,
  log: Log,
  release: Release | undefined = hostRelease(),
): Promise<PackageTree> {
  const listId = createHash('sha256').update(names.join(' ')).digest('hex').slice(0, 12)
  const root = join(cache, `tree-${release?.codename ?? 'host'}-${listId}`)
  const stamp = join(root, '.packages')
  const known = await readFile(stamp, 'utf8').catch(() => undefined)
  if (known !== undefined) {
    await markUsed(root)
    return { root, id: idOf(known) }
  }

  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, 'unpacking-'))
  try {
    const apt = await aptOf(release, cache, log)
    log(`downloading ${names.length} Debian packages`)
    const folder = join(work, 'debs')
    const debs = await download(apt, names, folder, release).catch(async () => {
      // A new machine has no package lists yet, and old lists name versions that are gone.
      await apt.update()
      return download(apt, names, folder, release)
    })
    log(`unpacking ${debs.length} packages`)
    for (const deb of debs) await run('dpkg-deb', ['-x', join(work, 'debs', deb), join(work, 'tree')])
    await completeRoot(join(work, 'tree'))
    await writeFile(join(work, 'tree', '.packages'), debs.join('\n') + '\n')
    // Renaming makes the tree appear whole or not at all, also when two processes make it at the same time.
    await rename(join(work, 'tree'), root).catch(async (error: unknown) => {
      if ((await readFile(stamp).catch(() => undefined)) === undefined) throw error
    })
    return { root, id: idOf(await readFile(stamp, 'utf8')) }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function download(apt: Apt, names: readonly string[], folder: string, release: Release | undefined): Promise<string[]> {
  await mkdir(folder, { recursive: true })
  try {
    await apt.download(await Promise.all(names.map(name => (name === kernelMetapackage ? kernelPackage(apt) : name))), folder)
  } catch (cause) {
    const own = release !== undefined && release !== hostRelease()
    const debian = release ? `Debian ${release.debian} (${release.codename})` : "the host's release"
    throw new RigError(
      'Debian packages for the rig could not be downloaded',
      (cause as Error).message,
      `The rig needs the packages of ${debian}, by its newest package lists: check the network${own ? '' : ', and run apt-get update'}.`,
      { cause },
    )
  }
  return (await readdir(folder)).filter(file => file.endsWith('.deb')).sort()
}

async function kernelPackage(apt: Apt): Promise<string> {
  const depends = await apt.depends(kernelMetapackage)
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1]
  if (name) return name
  throw new RigError(`apt-cache does not say which kernel ${kernelMetapackage} depends on`, depends, 'Run apt-get update.')
}

function idOf(list: string): string {
  return createHash('sha256').update(list).digest('hex').slice(0, 16)
}
