/** Paths in an unpacked tree of Debian packages, which is the root of another system: its links are not the host's. */
import { access, lstat, readdir, readlink, rm, symlink } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative } from 'node:path'

/** Where an unpacked tree may have shared libraries. */
export const libraryFolders = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu']

/** More than any package has in a row. */
const MOST_LINKS = 8

/**
 * The file behind a path of the tree, or behind the same path below usr: packages of one release have some here and some there.
 * @param path relative to the root
 * @returns undefined when there is none
 */
export async function fileIn(root: string, path: string): Promise<string | undefined> {
  for (const candidate of [path, `usr/${path}`]) {
    const file = await followLinks(root, candidate)
    if (file !== undefined) return file
  }
  return undefined
}

async function followLinks(root: string, path: string): Promise<string | undefined> {
  for (let i = 0; i < MOST_LINKS; i++) {
    const file = join(root, path)
    const found = await lstat(file).catch(() => undefined)
    if (!found?.isSymbolicLink()) return found && file
    const target = await readlink(file)
    path = isAbsolute(target) ? target : join(dirname(path), target)
  }
  return undefined
}

/**
 * Makes of a tree what can be the root of a compiler (--sysroot). Absolute links to libraries, as Debian 11 has them, become relative: they
 * would lead to the host's. From Debian 13 on packages hold all files below usr, and the links to there are in none of those that we take.
 */
export async function completeRoot(root: string): Promise<void> {
  for (const folder of ['lib64', ...libraryFolders]) {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true }).catch(() => [])) {
      if (!entry.isSymbolicLink()) continue
      const link = join(root, folder, entry.name)
      const target = await readlink(link)
      if (!isAbsolute(target)) continue
      await rm(link)
      await symlink(relative(join(root, folder), join(root, target)), link)
    }
  }
  for (const folder of ['bin', 'lib', 'lib64', 'sbin']) {
    if (!(await exists(join(root, folder))) && (await exists(join(root, 'usr', folder)))) await symlink(`usr/${folder}`, join(root, folder))
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
