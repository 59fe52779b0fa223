import { chmodSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { Cache } from './cache.ts'
import { folderOf } from './testing.ts'

const never = (): string => {
  throw new Error('it was known')
}

test('what was found is known the next time, but for what nobody asked for since', t => {
  const root = folderOf(t, { 'node_modules/a/index.js': '', 'deep/er/app.ts': '' })
  const first = new Cache<string>(join(root, 'deep/er'), 'name')
  t.is(
    first.get('a', () => 'one'),
    'one',
  )
  t.is(first.get('a', never), 'one')
  first.get('b', () => 'two')
  first.save()
  t.deepEqual(readdirSync(join(root, 'node_modules/.cache/xen-ts')), ['name.json'])
  const second = new Cache<string>(root, 'name')
  t.is(second.get('a', never), 'one')
  second.get('c', () => 'three')
  second.save()
  const third = new Cache<string>(root, 'name')
  t.is(third.get('c', never), 'three')
  t.is(
    third.get('b', () => 'anew'),
    'anew',
  )
  t.is(
    new Cache<string>(root, 'other').get('a', () => 'of another'),
    'of another',
  )
})

test('names of properties that every object has are keys like others', t => {
  t.is(
    new Cache<string>(folderOf(t, { 'node_modules/a/index.js': '' }), 'name').get('constructor', () => 'found'),
    'found',
  )
})

test('a file that is broken, in whichever way, counts for nothing', t => {
  const root = folderOf(t, { 'node_modules/a/index.js': '' })
  const path = join(root, 'node_modules/.cache/xen-ts/name.json')
  const write = (): string => {
    const cache = new Cache<string>(root, 'name')
    cache.get('a', () => 'right')
    cache.save()
    return readFileSync(path, 'utf8')
  }
  const whole = write()
  for (const broken of ['', '{}', whole.slice(0, -2), whole.replace('right', 'wrong'), `${whole}\n`.replace('"a"', '"b"'), '\n\n']) {
    writeFileSync(path, broken)
    t.is(
      new Cache<string>(root, 'name').get('a', () => 'found anew'),
      'found anew',
      broken,
    )
    t.is(write(), whole)
  }
})

test('without node_modules, and where nobody may write, there is none', t => {
  const bare = folderOf(t, { 'app.ts': '' })
  const root = folderOf(t, { 'node_modules/.cache': 'a file' })
  for (const at of [bare, root]) {
    const cache = new Cache<string>(at, 'name')
    cache.get('a', () => 'one')
    t.notThrows(() => cache.save())
    t.is(
      new Cache<string>(at, 'name').get('a', () => 'two'),
      'two',
    )
  }
  const closed = folderOf(t, { 'node_modules/a/index.js': '' })
  mkdirSync(join(closed, 'node_modules/.cache/xen-ts'), { recursive: true })
  chmodSync(join(closed, 'node_modules/.cache/xen-ts'), 0o500)
  const cache = new Cache<string>(closed, 'name')
  cache.get('a', () => 'one')
  t.notThrows(() => cache.save())
})

test('there are so many files and no more: the oldest go', t => {
  const root = folderOf(t, { 'node_modules/a/index.js': '' })
  const folder = join(root, 'node_modules/.cache/xen-ts')
  for (let i = 0; i < 40; i++) {
    const cache = new Cache<number>(root, `name-${i}`)
    cache.get('a', () => i)
    cache.save()
    utimesSync(join(folder, `name-${i}.json`), i + 1, i + 1)
  }
  const names = readdirSync(folder)
  t.is(names.length, 36)
  t.true(names.includes('name-39.json'))
  t.false(names.includes('name-0.json'))
})
