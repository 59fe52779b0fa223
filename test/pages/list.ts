import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

/** All pages but those that tests write, an example's own, those of programs that are yet to be made, and the changelog, which speaks of the past. */
export const pages = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter(
    page =>
      page !== 'CHANGELOG.md' &&
      !/^(examples\/.*\/posts|create\/templates)\//.test(page) &&
      !page.endsWith('.test.ts.md') &&
      existsSync(join(root, page)),
  )
