import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RigError } from './errors.ts'
import { aptGetAsRoot } from './host-tools.ts'
import { type Log, run } from './run.ts'

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
 */
export async function unpackPackages(names: string[], cache: string, log: Log): Promise<PackageTree> {
  const listId = createHash('sha256').update(names.join(' ')).digest('hex').slice(0, 12)
  const root = join(cache, `tree-${listId}`)
  const stamp = join(root, '.packages')
  const known = await readFile(stamp, 'utf8').catch(() => undefined)
  if (known !== undefined) return { root, id: idOf(known) }

  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, 'unpacking-'))
  try {
    log(`downloading ${names.length} Debian packages`)
    const folder = join(work, 'debs')
    const debs = await download(names, folder).catch(async () => {
      // A new machine has no package lists yet, and old lists name versions that are gone.
      log('updating the package lists with apt-get update')
      await aptGetAsRoot('update', '-qq').catch((error: Error) => log(error.message))
      return download(names, folder)
    })
    log(`unpacking ${debs.length} packages`)
    for (const deb of debs) await run('dpkg-deb', ['-x', join(work, 'debs', deb), join(work, 'tree')])
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

async function download(names: string[], folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true })
  try {
    const wanted = await Promise.all(names.map(name => (name === kernelMetapackage ? kernelPackage() : name)))
    await run('apt-get', ['download', ...wanted], { cwd: folder, seconds: 600 })
  } catch (cause) {
    throw new RigError(
      'Debian packages for the rig could not be downloaded',
      (cause as Error).message,
      'The rig needs the packages of Debian 12 (bookworm) and its package lists: run apt-get update, and check the network.',
      { cause },
    )
  }
  return (await readdir(folder)).filter(file => file.endsWith('.deb')).sort()
}

async function kernelPackage(): Promise<string> {
  const depends = await run('apt-cache', ['depends', kernelMetapackage])
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1]
  if (name) return name
  throw new RigError(
    `apt-cache does not say which kernel ${kernelMetapackage} depends on`,
    depends,
    'Run apt-get update; the rig needs the package lists of Debian 12.',
  )
}

function idOf(list: string): string {
  return createHash('sha256').update(list).digest('hex').slice(0, 16)
}
