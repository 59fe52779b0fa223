/** A file, symbolic link or character device of an initramfs. */
export type Entry = { content: Uint8Array | string; mode?: number } | { link: string } | { device: [major: number, minor: number] }

/**
 * Writes an initramfs: a cpio archive in the "newc" format that Linux unpacks (Documentation/driver-api/early-userspace/buffer-format.rst).
 * Folders are made as needed. Writing it here needs no root, unlike a staging folder with device nodes.
 * @param files paths without a leading slash
 */
export function writeCpio(files: Map<string, Entry>): Buffer {
  const parts: Buffer[] = []
  const folders = new Set<string>()
  let inode = 1
  const add = (name: string, mode: number, content: Uint8Array, [major, minor] = [0, 0]) => {
    const fields = [inode++, mode, 0, 0, 1, 0, content.length, 0, 0, major, minor, Buffer.byteLength(name) + 1, 0]
    const header = `070701${fields.map(field => field.toString(16).padStart(8, '0')).join('')}${name}\0`
    parts.push(padded(Buffer.from(header)), padded(content))
  }
  const addFolders = (name: string) => {
    const slash = name.lastIndexOf('/')
    if (slash < 0 || folders.has(name.slice(0, slash))) return
    addFolders(name.slice(0, slash))
    folders.add(name.slice(0, slash))
    add(name.slice(0, slash), 0o040755, empty)
  }
  for (const [name, entry] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    addFolders(name)
    if ('link' in entry) add(name, 0o120777, Buffer.from(entry.link))
    else if ('device' in entry) add(name, 0o020600, empty, entry.device)
    else add(name, 0o100000 | (entry.mode ?? 0o644), Buffer.from(entry.content as Uint8Array))
  }
  add('TRAILER!!!', 0, empty)
  return Buffer.concat(parts)
}

const empty = new Uint8Array(0)

/** Headers and contents each end on a multiple of 4 bytes. */
function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)])
}
