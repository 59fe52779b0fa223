/** The pages (README and so on) name files that are there. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'ava'
import { pages, root } from './list.ts'

/** Files that are to come, and examples. */
const notThere = ['wire/ipv6.ts', './my-target.ts']

/** Links, and paths of files with a folder in `code`. What stands for a name is written in capitals. */
function paths(text: string): string[] {
  const links = [...text.matchAll(/\]\(([^)#:\s]+)\)/g)].map(match => match[1])
  const code = [...text.matchAll(/`((?:[\w.-]+\/)+[\w.-]+\.(?:ts|js|c|md|json|jsonc|sh))`/g)].map(match => match[1])
  return [...links, ...code.filter(path => !/[A-Z]{3}\./.test(path) || path.endsWith('.md'))]
}

test('paths are found', t => {
  t.deepEqual(paths('[a](b/c.md) and `d/e.ts`, `f.ts`, `g/NAME.ts`, [h](https://h.example), `../README.md`'), [
    'b/c.md',
    'd/e.ts',
    '../README.md',
  ])
})

for (const page of pages) {
  test(`${page} names files that are there`, t => {
    const missing = paths(readFileSync(join(root, page), 'utf8')).filter(
      path => !notThere.includes(path) && ![dirname(page), ''].some(folder => existsSync(join(root, folder, path))),
    )
    t.deepEqual(missing, [])
  })
}
