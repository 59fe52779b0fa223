import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'ava'
import { publishedManifest } from './manifest.ts'
import { readWorkspace, repositoryAt } from './workspace.ts'

const one = { folder: 'drivers/vchan', manifest: { name: '@xen-ts/vchan', version: '1.0.0', license: 'MIT', type: 'module' } }
const workspace = { root: '/', version: '1.0.0', node: '>=24', packages: new Map() }

test('a package names the repository that the workspace names, and its folder there; without one it has no field', t => {
  const repository = { type: 'git', url: 'git+https://example.org/owner/name.git' }
  const published = publishedManifest(one, { ...workspace, repository }, new Set(), () => true, [])
  t.deepEqual(published.repository, { ...repository, directory: 'drivers/vchan' })
  t.false('repository' in JSON.parse(JSON.stringify(publishedManifest(one, workspace, new Set(), () => true, []))))
})

test('the repository can be given to npm run pack, as people write it; what is none is refused', t => {
  const field = { type: 'git', url: 'git+https://example.org/owner/name.git' }
  for (const url of [
    'https://example.org/owner/name',
    'https://example.org/owner/name/',
    'https://example.org/owner/name.git',
    'git+https://example.org/owner/name.git',
  ])
    t.deepEqual(repositoryAt(url), field)
  for (const url of [
    '',
    'example.org/owner/name',
    'http://example.org/owner/name',
    'https://example.org',
    'https://me:secret@example.org/owner/name',
    'https://example.org/owner name',
  ])
    t.throws(() => repositoryAt(url), { message: /must be https:\/\/HOST\/OWNER\/NAME/ })
  const root = dirname(import.meta.dirname)
  t.deepEqual(readWorkspace(root, 'https://example.org/owner/name').repository, field)
})

test('a repository that is not that of package.json is refused', t => {
  const root = mkdtempSync(join(tmpdir(), 'xen-ts-release-'))
  const repository = repositoryAt('https://example.org/owner/name')
  writeFileSync(join(root, 'package.json'), JSON.stringify({ workspaces: [], engines: { node: '>=24' }, repository }))
  t.deepEqual(readWorkspace(root).repository, repository)
  t.deepEqual(readWorkspace(root, 'https://example.org/owner/name.git').repository, repository)
  t.throws(() => readWorkspace(root, 'https://example.org/other/name'), { message: /other\/name\.git was given, and package\.json names/ })
  rmSync(root, { recursive: true })
})
