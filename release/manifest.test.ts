import test from 'ava'
import { publishedManifest } from './manifest.ts'

const one = { folder: 'drivers/vchan', manifest: { name: '@xen-ts/vchan', version: '1.0.0', license: 'MIT', type: 'module' } }
const workspace = { root: '/', version: '1.0.0', node: '>=24', packages: new Map() }

test('a package names the repository that the workspace names, and its folder there; without one it has no field', t => {
  const repository = { type: 'git', url: 'git+https://example.org/owner/name.git' }
  const published = publishedManifest(one, { ...workspace, repository }, new Set(), () => true, [])
  t.deepEqual(published.repository, { ...repository, directory: 'drivers/vchan' })
  t.false('repository' in JSON.parse(JSON.stringify(publishedManifest(one, workspace, new Set(), () => true, []))))
})
