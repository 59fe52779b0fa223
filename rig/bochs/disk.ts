import { createHash } from 'node:crypto'
import { access, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Entry, writeCpio } from '../xen/cpio.ts'
import { addModules, type RigFiles } from '../xen/dom0.ts'
import { dom0Options } from '../xen/machine.ts'
import { unpackPackages } from '../xen/packages.ts'
import { type Log, run } from '../xen/run.ts'

const sector = 512

/** Where the partition starts, in sectors: as usual at 1 MiB, behind GRUB's own image. */
const partitionStart = 2048

/** Sectors of a cylinder, in the geometry that Bochs assumes: 16 heads, 63 sectors. */
const cylinder = 16 * 63

/** GRUB for a PC with a BIOS; only files of it are used. */
const grub = ['grub-common', 'grub-pc-bin']
const grubModules = ['biosdisk', 'part_msdos', 'newc', 'multiboot2', 'boot', 'serial', 'terminal']

/**
 * The disk that a machine with a BIOS boots Xen and dom0 from, or finds it made: GRUB, and a partition that is a cpio archive, which
 * GRUB reads as a file system. So nothing has to be mounted, and no root and no file system tools are needed.
 * @param xenOptions of the hypervisor
 * @param modules kernel modules for the machine's devices, which dom0 loads before its own
 * @returns path of the image
 */
export async function ensureDisk(
  files: RigFiles,
  { xenOptions, modules, cache, log }: { xenOptions: string; modules: string[]; cache: string; log: Log },
): Promise<string> {
  const { root } = await unpackPackages(grub, cache, log)
  // dom0's initramfs may be followed by another archive: Linux unpacks both.
  const drivers = new Map<string, Entry>()
  await addModules(drivers, files.tree, modules)
  const commands = bootCommands(xenOptions)
  const id = createHash('sha256')
    .update(await readFile(import.meta.filename))
    .update(commands)
    .update(modules.join(' '))
    .digest('hex')
  const disk = join(files.folder, `disk-${id.slice(0, 12)}.img`)
  const present = await access(disk).then(
    () => true,
    () => false,
  )
  if (present) return disk

  log('making the disk that GRUB boots Xen from')
  const part = `${disk}.${process.pid}`
  try {
    await writeFile(`${part}.cfg`, commands)
    const images = join(root, 'usr/lib/grub/i386-pc')
    await run(join(root, 'usr/bin/grub-mkimage'), [
      ...['--directory', images, '--format', 'i386-pc', '--prefix', '/', '--config', `${part}.cfg`, '--output', `${part}.core`],
      ...grubModules,
    ])
    const archive = writeCpio(
      new Map<string, Entry>([
        ['xen', { content: await readFile(files.xen) }],
        ['vmlinux', { content: await readFile(files.vmlinux) }],
        ['dom0.img', { content: Buffer.concat([await readFile(files.dom0), writeCpio(drivers)]) }],
      ]),
    )
    await writeFile(part, bootDisk(await readFile(join(images, 'boot.img')), await readFile(`${part}.core`), archive))
    await rename(part, disk)
  } finally {
    for (const file of [part, `${part}.cfg`, `${part}.core`]) await rm(file, { force: true })
  }
  return disk
}

/** What GRUB does at its start. The word in front of the options takes the place of a file's name, which Xen skips. */
function bootCommands(xenOptions: string): string {
  return [
    'serial --unit=0 --speed=115200',
    'terminal_output serial',
    'set root=hd0,msdos1',
    `multiboot2 /xen placeholder ${xenOptions}`,
    `module2 /vmlinux placeholder ${dom0Options}`,
    'module2 /dom0.img',
    'boot',
    '',
  ].join('\n')
}

/**
 * Lays out a disk with a master boot record: GRUB's first sector, its core from the second sector on (as its boot.img expects it,
 * unless told otherwise), and one partition with the content.
 */
export function bootDisk(boot: Uint8Array, core: Uint8Array, content: Uint8Array): Buffer {
  if (boot.length !== sector) throw new Error(`GRUB's boot.img has ${boot.length} bytes, not ${sector}`)
  if (core.length > (partitionStart - 1) * sector)
    throw new Error(`GRUB's core of ${core.length} bytes does not fit in front of the partition`)
  const partitionSectors = Math.ceil(content.length / sector)
  const sectors = Math.ceil((partitionStart + partitionSectors) / cylinder) * cylinder
  const disk = Buffer.alloc(sectors * sector)
  disk.set(boot)
  disk.set(core, sector)
  disk.set(content, partitionStart * sector)
  // The partition table: four entries of 16 bytes. Status, first sector (3 bytes), type, last sector (3), start and length in sectors.
  disk.fill(0, 0x1be, 0x1fe)
  disk.set([0x80, 0xfe, 0xff, 0xff, 0x83, 0xfe, 0xff, 0xff], 0x1be)
  disk.writeUInt32LE(partitionStart, 0x1be + 8)
  disk.writeUInt32LE(partitionSectors, 0x1be + 12)
  disk.writeUInt16LE(0xaa55, 0x1fe)
  return disk
}
