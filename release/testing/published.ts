/** What tests of published packages start from: the tarballs, a registry that has them, and somebody who installs them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestFn } from 'ava'
import { packAll } from '../pack.ts'
import { type Registry, startRegistry } from './registry.ts'
import { User } from './user.ts'

export class Published {
  /** Has the tarballs; for what tests make, too. */
  readonly folder = mkdtempSync(join(tmpdir(), 'xen-ts-published-'))
  tarballs!: Map<string, string>
  user!: User
  #registry: Registry | undefined

  /** Registers beginning and end with ava. */
  constructor(test: TestFn) {
    test.before('the packages are made, and a registry has them', async t => {
      t.timeout(240_000)
      this.tarballs = packAll(this.folder)
      this.#registry = await startRegistry(this.tarballs)
      const npm = { registry: this.#registry.url, yes: 'true', audit: 'false', fund: 'false', 'update-notifier': 'false' }
      this.user = new User(Object.fromEntries(Object.entries(npm).map(([key, value]) => [`npm_config_${key.replaceAll('-', '_')}`, value])))
    })
    test.after.always('nothing stays', async () => {
      await this.#registry?.close()
      this.user?.[Symbol.dispose]()
      rmSync(this.folder, { recursive: true, force: true })
    })
  }
}
