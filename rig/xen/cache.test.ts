import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { markUsed, removeOld } from './cache.ts'

const DAY = 24 * 3600 * 1000

test('what nobody has used for a month is deleted, of any version, and what was left half made a day ago; nothing else is', async t => {
  const cache = await mkdtemp(join(tmpdir(), 'xen-ts-cache-'))
  const now = Date.now()
  const ages: Record<string, number> = {
    'dom0-4.17-current': 90,
    'tree-bookworm-current': 90,
    'dom0-4.17-other-branch': 20,
    'dom0-4.20-old': 31,
    'dom0-a7617373528438a4': 31,
    'tree-414958f0d592': 31,
    'tree-trixie-used': 1,
    'making-left': 2,
    'making-now': 0.5,
    'unpacking-left': 2,
    'apt-trixie': 90,
    'my-notes': 90,
  }
  for (const [name, days] of Object.entries(ages)) {
    await mkdir(join(cache, name, 'inner'), { recursive: true })
    await markUsed(join(cache, name), new Date(now - days * DAY))
  }
  const lines: string[] = []
  await removeOld(cache, [join(cache, 'dom0-4.17-current'), join(cache, 'tree-bookworm-current')], line => lines.push(line), now)
  const gone = Object.keys(ages).filter(name => /left|old|a761|4149/.test(name))
  t.deepEqual(
    (await readdir(cache)).sort(),
    Object.keys(ages)
      .filter(name => !gone.includes(name))
      .sort(),
  )
  t.is(lines.length, gone.length)
  t.regex(lines.join('\n'), /deleting .*dom0-4\.20-old, which was used 31 days ago/)
  await rm(cache, { recursive: true })
})

test('using it keeps it; a folder that cannot be marked is used all the same', async t => {
  const cache = await mkdtemp(join(tmpdir(), 'xen-ts-cache-'))
  await mkdir(join(cache, 'tree-x'))
  await markUsed(join(cache, 'tree-x'), new Date(Date.now() - 40 * DAY))
  await markUsed(join(cache, 'tree-x'))
  await removeOld(cache, [], () => {})
  t.deepEqual(await readdir(cache), ['tree-x'])
  await markUsed(join(cache, 'not-there'))
  await rm(cache, { recursive: true })
})
