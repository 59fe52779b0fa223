import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { unpack } from './compression.ts'
import { moduleOrder, readModule } from './libraries.ts'
import { completeRoot, fileIn } from './tree.ts'

/** A folder with files, by path; `-> TARGET` makes a link. */
function tree(t: ExecutionContext, files: Record<string, string | Buffer>): string {
  const root = mkdtempSync(join(tmpdir(), 'xen-ts-tree-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    if (typeof content === 'string' && content.startsWith('-> ')) symlinkSync(content.slice(3), join(root, path))
    else writeFileSync(join(root, path), content)
  }
  return root
}

test('a file is found at its path, or below usr', async t => {
  const root = tree(t, { 'bin/old': '', 'usr/bin/new': '' })
  t.is(await fileIn(root, 'bin/old'), join(root, 'bin/old'))
  t.is(await fileIn(root, 'bin/new'), join(root, 'usr/bin/new'))
  t.is(await fileIn(root, 'bin/none'), undefined)
})

test("links lead within the tree, also absolute ones, which would else be the host's; a circle leads nowhere", async t => {
  const root = tree(t, {
    'lib/x86_64-linux-gnu/ld-2.31.so': '',
    'lib64/ld-linux-x86-64.so.2': '-> /lib/x86_64-linux-gnu/ld-2.31.so',
    'usr/lib/x86_64-linux-gnu/libx.so.1': '-> libx.so.1.2',
    'usr/lib/x86_64-linux-gnu/libx.so.1.2': '',
    'lib/a': '-> b',
    'lib/b': '-> a',
    'bin/sh': '-> /bin/nowhere',
  })
  t.is(await fileIn(root, 'lib64/ld-linux-x86-64.so.2'), join(root, 'lib/x86_64-linux-gnu/ld-2.31.so'))
  t.is(await fileIn(root, 'lib/x86_64-linux-gnu/libx.so.1'), join(root, 'usr/lib/x86_64-linux-gnu/libx.so.1.2'))
  t.is(await fileIn(root, 'lib/a'), undefined)
  t.is(await fileIn(root, 'bin/sh'), undefined)
})

test("a linker that has the tree as its root meets no library of the host's: absolute links become relative", async t => {
  const root = tree(t, {
    'lib64/ld-linux-x86-64.so.2': '-> /lib/x86_64-linux-gnu/ld-2.31.so',
    'usr/lib/x86_64-linux-gnu/libdl.so': '-> /lib/x86_64-linux-gnu/libdl.so.2',
    'usr/lib/x86_64-linux-gnu/libx.so': '-> libx.so.1',
    'usr/lib/x86_64-linux-gnu/libc.so': 'a script',
  })
  await completeRoot(root)
  t.is(readlinkSync(join(root, 'lib64/ld-linux-x86-64.so.2')), '../lib/x86_64-linux-gnu/ld-2.31.so')
  t.is(readlinkSync(join(root, 'usr/lib/x86_64-linux-gnu/libdl.so')), '../../../lib/x86_64-linux-gnu/libdl.so.2')
  t.is(readlinkSync(join(root, 'usr/lib/x86_64-linux-gnu/libx.so')), 'libx.so.1')
})

test('where all files are below usr, as from Debian 13 on, the links to there are made', async t => {
  const root = tree(t, {
    'usr/lib64/ld-linux-x86-64.so.2': '-> ../lib/ld.so',
    'usr/lib/ld.so': '',
    'usr/bin/sh': '',
    'lib/modules/1/x.ko': '',
  })
  await completeRoot(root)
  t.is(readlinkSync(join(root, 'lib64')), 'usr/lib64')
  t.is(readlinkSync(join(root, 'bin')), 'usr/bin')
  t.true(existsSync(join(root, 'lib64/ld-linux-x86-64.so.2')))
  // What the packages have is left; what they do not have leads nowhere.
  t.true(existsSync(join(root, 'lib/modules/1/x.ko')))
  t.false(existsSync(join(root, 'sbin')))
})

const xz = (bytes: Buffer) => execFileSync('xz', ['-c'], { input: bytes, maxBuffer: 1 << 26 })

test('gzip, xz and zstd are told by their first bytes; all else is left to the caller', async t => {
  const bytes = Buffer.from('kernel '.repeat(300_000))
  for (const packed of [gzipSync(bytes), xz(bytes), zstdCompressSync(bytes)]) t.true(bytes.equals((await unpack(packed))!))
  for (const other of [Buffer.from('\x7fELF'), Buffer.alloc(0), Buffer.from([0x1f])]) t.is(await unpack(other), undefined)
})

test('what is cut off is an error, not half a file', async t => {
  const packed = xz(Buffer.from('kernel '.repeat(300_000)))
  await t.throwsAsync(unpack(packed.subarray(0, packed.length / 2)), { message: /xz could not unpack \d+ bytes\n[^]*nexpected end/ })
})

test('kernel modules are taken with what they depend on, compressed or not', async t => {
  const module = (depends: string) => Buffer.from(`\x7fELF license=GPL\0depends=${depends}\0name=x\0`)
  const root = tree(t, { 'a.ko.xz': xz(module('b_c,d')), 'b-c.ko': module(''), 'd.ko.xz': xz(module('b_c')) })
  const files = new Map([
    ['a', join(root, 'a.ko.xz')],
    ['b-c', join(root, 'b-c.ko')],
    ['d', join(root, 'd.ko.xz')],
  ])
  t.deepEqual(
    (await moduleOrder(['a'], files)).map(({ name }) => name),
    ['b-c', 'd', 'a'],
  )
  // What is built in needs no file.
  t.deepEqual(
    (await moduleOrder(['a', 'e'], files, new Set(['d', 'e']))).map(({ name }) => name),
    ['b-c', 'a'],
  )
  await t.throwsAsync(moduleOrder(['e'], files), { message: /no module e\n/ })
  t.true((await readModule(join(root, 'a.ko.xz'))).equals(module('b_c,d')))
})
