import { readFile } from 'node:fs/promises'
import { basename, relative } from 'node:path'
import { unpack } from './compression.ts'
import { RigError } from './errors.ts'
import { run } from './run.ts'
import { fileIn } from './tree.ts'

/** The dynamic loader that every program of Debian names, as a path in its root. */
const loader = 'lib64/ld-linux-x86-64.so.2'

/**
 * The shared libraries that programs need, found in an unpacked tree of Debian packages, transitively, by their NEEDED entries.
 * @param root folder of the tree
 * @param programs absolute paths of ELF files
 * @param extra names of libraries that are loaded at run time by name, such as libgcc_s.so.1
 * @returns path in the initramfs -> file of the host
 */
export async function sharedLibraries(root: string, programs: string[], extra: string[] = []): Promise<Map<string, string>> {
  const found = new Map<string, string>([[loader, await findLibrary(root, basename(loader))]])
  const visit = async (name: string): Promise<void> => {
    if (name === basename(loader) || found.has(`usr/lib/x86_64-linux-gnu/${name}`)) return
    const file = await findLibrary(root, name)
    found.set(`usr/lib/x86_64-linux-gnu/${name}`, file)
    for (const next of await neededBy(file)) await visit(next)
  }
  for (const name of extra) await visit(name)
  for (const program of programs) {
    for (const name of await neededBy(program)) await visit(name)
  }
  return found
}

async function neededBy(file: string): Promise<string[]> {
  const dynamic = await run('readelf', ['-d', file])
  return [...dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(match => match[1]!)
}

async function findLibrary(root: string, name: string): Promise<string> {
  const file = await fileIn(root, `lib/x86_64-linux-gnu/${name}`)
  if (file !== undefined) return file
  throw new RigError(
    `The library ${name} is in none of the unpacked packages`,
    relative('.', root),
    'Add the Debian package that holds it to the list in the file that asked.',
  )
}

/**
 * Kernel modules with all that they depend on, in the order in which they can be loaded.
 * @param files paths of the tree's module files by name (with - instead of _)
 * @param builtIn those that the kernel has without a file; which they are differs from release to release
 */
export async function moduleOrder(
  names: string[],
  files: Map<string, string>,
  builtIn: ReadonlySet<string> = new Set(),
): Promise<{ name: string; file: string }[]> {
  const order = new Map<string, string>()
  const visit = async (name: string): Promise<void> => {
    if (builtIn.has(name)) return
    const file = files.get(name)
    if (!file) throw new RigError(`The kernel package has no module ${name}`, undefined, 'It may have another name now.')
    if (order.has(name)) return
    for (const next of await dependencies(file)) await visit(next)
    order.set(name, file)
  }
  for (const name of names) await visit(name)
  return [...order].map(([name, file]) => ({ name, file }))
}

/** A module's own note of what it needs: "depends=a,b" in its section .modinfo. The list that depmod makes is not in the package. */
async function dependencies(file: string): Promise<string[]> {
  const bytes = await readModule(file)
  const start = bytes.indexOf('\0depends=')
  if (start < 0) return []
  const text = bytes.toString('latin1', start + 9, bytes.indexOf(0, start + 1))
  return text
    .split(',')
    .filter(Boolean)
    .map(name => name.replaceAll('_', '-'))
}

/** A kernel module as the kernel takes it: Debian 13 has them compressed. */
export async function readModule(file: string): Promise<Buffer> {
  const bytes = await readFile(file)
  return (await unpack(bytes)) ?? bytes
}
