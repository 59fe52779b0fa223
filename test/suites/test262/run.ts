/**
 * A sample of test262 in the guest's engine with the project's runtime around it; what fails is run once more without the runtime, to tell whose
 * fault it is. Options: parts of paths; --count=1900; --seed=7; --all-features keeps tests of features that the engine does not claim.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { printChanges } from '../lib/against.ts'
import { findRepository, listFiles, unpack } from '../lib/fetched.ts'
import { bundle, commit } from '../lib/guest.ts'
import { readOptions } from '../lib/options.ts'
import { runPool } from '../lib/pool.ts'
import { table, tally } from '../lib/table.ts'
import { type Job, metaOf, notClaimed, order, type Ran } from './tests.ts'

const options = readOptions('test262')
const repository = findRepository(options.fetched, ['tc39/test262'])
const count = Number(options.value('count') ?? 1900),
  seed = Number(options.value('seed') ?? 7)
const root = join(options.out, 'test262')

// More than are wanted, since some are left out for what they need.
const candidates = listFiles(repository, ['test/language', 'test/built-ins'])
  .filter(
    path =>
      path.endsWith('.js') && !path.includes('_FIXTURE') && (options.words.length === 0 || options.words.some(word => path.includes(word))),
  )
  .sort((a, b) => order(a, seed) - order(b, seed) || (a < b ? -1 : 1))
  .slice(0, 3 * count)
unpack(repository, ['harness', ...candidates], root)
const left = new Map<string, number>()
const leave = (why: string): false => {
  left.set(why, (left.get(why) ?? 0) + 1)
  return false
}
const jobs: Job[] = candidates
  .map(path => ({ path, source: readFileSync(join(root, path), 'utf8') }))
  .filter(({ source }) => {
    const { flags, features, includes } = metaOf(source)
    if (flags.includes('module')) return leave('module')
    if (
      flags.some(flag => flag.startsWith('CanBlock')) ||
      includes.some(name => /atomicsHelper/.test(name)) ||
      source.includes('$262.agent')
    )
      return leave('agents')
    if (source.includes('$262.createRealm')) return leave('realms')
    const lacking = options.flag('all-features') ? undefined : features.find(feature => notClaimed.has(feature))
    return lacking === undefined || leave(lacking)
  })
  .slice(0, count)
  .map(({ path, source }) => ({ path, meta: metaOf(source), bare: false }))
console.log(`test262 of ${repository.date} (${repository.commit.slice(0, 10)}): ${jobs.length} tests by seed ${seed}; xen-ts ${commit()}`)
console.log(
  `left out: ${[...left]
    .sort((a, b) => b[1] - a[1])
    .map(([why, n]) => `${why} ${n}`)
    .join(', ')}`,
)

const folder = mkdtempSync(join(options.out, 'program-'))
const app = join(folder, 'app.ts')
writeFileSync(
  app,
  "import { unikernel } from 'xen-ts'\nexport default unikernel({ name: 'test262', async start() { await (globalThis as any).__suite.run() } })\n",
)
const code = await bundle(app)
rmSync(folder, { recursive: true })
const pool = { worker: new URL('worker.ts', import.meta.url), workerData: { code, root }, jobs: options.jobs }
const run = (some: readonly Job[]) =>
  runPool<Job, Ran>(
    some,
    pool,
    () => 60,
    done => {
      if (done % 200 === 0) console.error(`${done} of ${some.length}`)
    },
  )

const outcomes = await run(jobs)
const ranOf = (outcome: (typeof outcomes)[number]): Ran =>
  'result' in outcome ? outcome.result : { pass: false, message: outcome.stopped }
const failed = jobs.filter((_, i) => !ranOf(outcomes[i]).pass)
const bare = await run(failed.map(job => ({ ...job, bare: true })))

const rows = new Map<string, { pass: number; engine: number; glue: number }>()
const lines: string[] = [],
  features: string[] = []
for (const [i, job] of jobs.entries()) {
  const name = job.path.split('/').slice(1, 3).join('/')
  const row = rows.get(name) ?? { pass: 0, engine: 0, glue: 0 }
  rows.set(name, row)
  const ran = ranOf(outcomes[i])
  if (ran.pass) {
    row.pass++
    continue
  }
  const alone = ranOf(bare[failed.indexOf(job)])
  const whose = alone.pass ? 'glue' : 'engine'
  row[whose]++
  features.push(...job.meta.features)
  lines.push([whose, job.path, job.meta.features.join(' '), ran.message.replace(/\s+/g, ' ').slice(0, 300)].join('\t'))
}
const sum = (key: 'pass' | 'engine' | 'glue') => [...rows.values()].reduce((total, row) => total + row[key], 0)
const withFailures = [...rows].filter(([, row]) => row.engine + row.glue > 0).sort()
const shown = table(
  ['folder', 'pass', 'fail by the engine', 'fail by the runtime'],
  [
    ...withFailures.map(([name, row]) => [name, row.pass, row.engine, row.glue]),
    ['all (also those without failures)', sum('pass'), sum('engine'), sum('glue')],
  ],
)
writeFileSync(join(options.out, 'table.md'), `${shown}\n`)
writeFileSync(
  join(options.out, 'failing.tsv'),
  lines
    .sort()
    .map(line => `${line}\n`)
    .join(''),
)
console.log(`\n${shown}\n\n${lines.map(line => line.slice(0, 200)).join('\n')}\n`)
console.log(
  `${sum('pass')} of ${jobs.length} pass, ${sum('glue')} fail by the project's runtime; features of what fails: ${tally(features)
    .slice(0, 12)
    .map(([name, n]) => `${name} ${n}`)
    .join(', ')}`,
)
console.log(`all failures: ${join(options.out, 'failing.tsv')}`)
printChanges(options, 'failing.tsv', cells => `${cells[0]}: ${cells[1]}`)
