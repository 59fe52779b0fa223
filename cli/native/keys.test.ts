import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { listFunctions } from '@xen-ts/boot/native'
import test from 'ava'
import { snapshotOf } from '../build/build.ts'
import { findProject } from '../build/project.ts'
import { bundleFolder, folderOf, program } from '../build/testing.ts'
import { hotList, hotShares, readHot } from './hot.ts'
import { keysOf, keyText } from './keys.ts'
import { countsOf } from './make.ts'

const own = `
export class Shape {
  static made = 0
  #size = 1
  constructor(public side: number) {}
  get area() { return this.side * this.#size }
  #grow() { return this.#size++ }
  async later() { return this.#grow() }
  *[Symbol.iterator]() { yield this.side }
}
export function declared(x: number) { return x + 1 }
export const arrow = (x: number) => x - 1
export const table = { entry: async (x: number) => x, method() { return 1 } }
export const list = [1].map(x => x * 2)
`

test('functions have the name of their source, wherever they stand', async t => {
  const root = folderOf(t, {
    'package.json': '{ "name": "app", "type": "module" }',
    'app.ts': program(
      'say(`${declared(1) + arrow(1) + new Shape(2).area + list[0]}${table.method()}`)',
      "import { Shape, arrow, declared, list, table } from './own.ts'",
    ),
    'own.ts': own,
  })
  const project = findProject(root)
  const bundle = await bundleFolder(root)
  const functions = listFunctions(await snapshotOf(bundle, project, { output: () => {} }))
  const keyOf = keysOf({ file: `${project.name}.js`, code: bundle.code, map: bundle.map, root })
  const keys = functions.map(keyOf).filter(key => key !== undefined)
  const names = keys.filter(({ file }) => file.endsWith('/own.ts')).map(({ name }) => name)
  for (const name of ['constructor', 'area', '#grow', 'later', 'declared', 'arrow', 'entry', 'method']) t.true(names.includes(name), name)
  const ours = keys.filter(({ isOwn }) => isOwn)
  t.true(ours.some(({ file, name }) => file.startsWith('runtime/') && name !== '=>'))
  t.true(ours.every(({ file }) => !file.startsWith('/')))

  // What is known of our own decides; the program counts as their average.
  const map = new Map(functions.map(fn => [fn.address, keyOf(fn)]))
  const hottest = functions.find(fn => keyOf(fn)?.isOwn)!
  const counts = countsOf(functions, map, new Map([[keyText(keyOf(hottest)!), 1000]]))
  t.is(counts.get(hottest.address), 1000)
  const declaredAt = functions.find(fn => keyOf(fn)?.name === 'declared')!
  t.true(counts.get(declaredAt.address)! > 0)
})

test('the list of the hottest is one of functions that exist', t => {
  const shares = hotShares()
  t.true(shares.size > 100)
  for (const key of shares.keys()) {
    const [file, name] = key.split(' ')
    const path = fileURLToPath(new URL(`../../${file}`, import.meta.url))
    t.true(existsSync(path), `${file} does not exist: npm run hot`)
    if (/^[#\w$]+$/.test(name)) t.true(readFileSync(path, 'utf8').includes(name.replace(/^_/, '')), `${key}: npm run hot`)
  }
})

test('a list has shares of the whole, the hottest first, and nothing of what a training runs against', t => {
  const key = (file: string, name: string) => ({ file, name, isOwn: true })
  const list = hotList([
    { key: key('stack/a.ts', 'cold'), count: 1 },
    { key: key('stack/a.ts', 'warm'), count: 250 },
    { key: key('stack/b.ts', '=>'), count: 500 },
    { key: key('stack/b.ts', '=>'), count: 250 },
    { key: key('drivers/sim/memory.ts', 'sync'), count: 1e9 },
    { key: { file: '/home/app.ts', name: 'program', isOwn: false }, count: 1e9 },
    { key: undefined, count: 1e9 },
  ])
  t.is(list, '749251 stack/b.ts =>\n249750 stack/a.ts warm\n')
  t.deepEqual(
    [...readHot(list)],
    [
      ['stack/b.ts =>', 749251],
      ['stack/a.ts warm', 249750],
    ],
  )
})
