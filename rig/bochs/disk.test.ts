import { randomBytes } from 'node:crypto'
import test from 'ava'
import { bootDisk } from './disk.ts'

test('a boot disk: GRUB in front, one partition with the content, whole cylinders', t => {
  const boot = randomBytes(512),
    core = randomBytes(30_000),
    content = randomBytes(1_000_001)
  const disk = bootDisk(boot, core, content)
  t.is(disk.length % (512 * 16 * 63), 0)
  // The BIOS runs the first sector when it ends in the signature; its code ends where the partition table begins.
  t.is(disk.readUInt16LE(510), 0xaa55)
  t.true(disk.subarray(0, 0x1be).equals(boot.subarray(0, 0x1be)))
  t.true(disk.subarray(512, 512 + core.length).equals(core))
  const [start, length] = [disk.readUInt32LE(0x1be + 8), disk.readUInt32LE(0x1be + 12)]
  t.is(disk[0x1be], 0x80)
  t.true(disk.subarray(start * 512, start * 512 + content.length).equals(content))
  t.true(length * 512 >= content.length && (start + length) * 512 <= disk.length)
  t.deepEqual([...disk.subarray(0x1be + 16, 510)], Array(48).fill(0))
})

test('a core of GRUB that would reach into the partition is refused', t => {
  t.throws(() => bootDisk(Buffer.alloc(512), Buffer.alloc(2 << 20), Buffer.alloc(1)), { message: /does not fit/ })
})
