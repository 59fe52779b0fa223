/**
 * WPT in the guest's engine: a table by subject, and each failing name. Options: parts of paths; --node runs on Node's own globals instead;
 * --list shows the files; --no-counts does not ask Node how many tests a missing file has.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { printChanges } from '../lib/against.ts'
import { findRepository, unpack } from '../lib/fetched.ts'
import { bundle, commit } from '../lib/guest.ts'
import { readOptions } from '../lib/options.ts'
import { type Outcome, runPool } from '../lib/pool.ts'
import { table, tally } from '../lib/table.ts'
import { program } from './names.ts'
import { type FileResult, isLong, type Job, type Test, variants } from './scripts.ts'
import {
  browserOnly,
  firstVariantOnly,
  folders,
  isTest,
  needsBrowser,
  repositories,
  rowOf,
  rows,
  saysAbsent,
  subjectOf,
} from './selection.ts'

const options = readOptions('wpt')
const onNode = options.flag('node')
const repository = findRepository(options.fetched, repositories)
const root = join(options.out, 'wpt')
const paths = unpack(repository, folders, root)
  .filter(isTest)
  .filter(path => options.words.length === 0 || options.words.some(word => path.includes(word)))
  .sort()
const sources = new Map(paths.map(path => [path, readFileSync(join(root, path), 'utf8')]))
const jobs: Job[] = paths.flatMap(path => {
  const all = variants(sources.get(path)!)
  const some = firstVariantOnly.some(pattern => pattern.test(path)) ? all.slice(0, 1) : all
  return some.map(variant => ({ path, variant, subject: subjectOf(path) }))
})
console.log(
  `WPT of ${repository.date} (${repository.commit.slice(0, 10)}): ${paths.length} files, ${jobs.length} with variants; xen-ts ${commit()}${onNode ? `; on the globals of Node ${process.version}` : ''}`,
)
if (options.flag('list')) {
  for (const { path, variant, subject } of jobs) console.log(`${path}${variant}\t${subject ?? ''}`)
  process.exit()
}

const limit = ({ path }: Job) => (isLong(sources.get(path)!) ? 240 : 90)
const progress = (done: number, job: Job, outcome: Outcome<FileResult>) => {
  if ('stopped' in outcome) console.error(`${job.path}${job.variant}: ${outcome.stopped}`)
  if (done % 50 === 0) console.error(`${done} of ${jobs.length}`)
}
const nodePool = (some: readonly Job[]) =>
  runPool<Job, FileResult>(
    some,
    { worker: new URL('node-worker.ts', import.meta.url), workerData: { root }, jobs: options.jobs, fresh: true },
    limit,
    () => {},
  )

async function inGuest(): Promise<Outcome<FileResult>[]> {
  const folder = mkdtempSync(join(options.out, 'program-'))
  const app = join(folder, 'app.ts')
  writeFileSync(app, program('wpt'))
  const code = await bundle(app)
  rmSync(folder, { recursive: true })
  const workerData = { code, root }
  return runPool<Job, FileResult>(
    jobs,
    { worker: new URL('guest-worker.ts', import.meta.url), workerData, jobs: options.jobs },
    limit,
    progress,
  )
}

const outcomes = onNode ? await nodePool(jobs) : await inGuest()

interface Count {
  files: number
  pass: number
  fail: number
  absent: number
  onNodeToo: number
  skipped: number
  missing: number
  missingFiles: number
}
const counts = new Map<string, Count>()
const failing: string[] = [],
  missingLines: string[] = [],
  messages: string[] = []
const missingJobs: { job: Job; count: Count; why: string }[] = []
// What an earlier run with --node left in the same folder.
const nodeFile = join(options.out, 'node-failing.tsv')
const failsOnNode = new Set(
  !onNode && existsSync(nodeFile)
    ? readFileSync(nodeFile, 'utf8')
        .split('\n')
        .map(line => line.split('\t'))
        .map(([path, , name]) => `${path}\t${name}`)
    : [],
)
const statusNames = ['pass', 'fail', 'timeout', 'not run', 'precondition']

for (const [i, job] of jobs.entries()) {
  const row = rowOf(job.path)
  let count = counts.get(row)
  if (count === undefined)
    counts.set(row, (count = { files: 0, pass: 0, fail: 0, absent: 0, onNodeToo: 0, skipped: 0, missing: 0, missingFiles: 0 }))
  count.files++
  const outcome = outcomes[i]
  const { missing, tests, trouble } =
    'result' in outcome ? outcome.result : { missing: false, tests: [] as Test[], trouble: outcome.stopped }
  const shown = `${job.path}${job.variant}`
  if (missing) {
    count.missingFiles++
    missingJobs.push({ job, count, why: job.subject! })
    continue
  }
  for (const { name, status, message } of tests) {
    if (
      status === 4 ||
      browserOnly.some(([path, names]) => path.test(job.path) && names.test(name)) ||
      (status !== 0 && needsBrowser.test(message))
    )
      count.skipped++
    else if (status === 0) count.pass++
    else {
      const absent = saysAbsent(message)
      count[absent ? 'absent' : 'fail']++
      failing.push([shown, absent ? 'absent' : (statusNames[status] ?? status), name, message].map(oneLine).join('\t'))
      if (absent) continue
      messages.push(kind(message || statusNames[status]))
      if (failsOnNode.has(`${oneLine(shown)}\t${oneLine(name)}`)) count.onNodeToo++
    }
  }
  if (tests.length === 0 && saysAbsent(trouble ?? '')) {
    // It needs an interface before its first test.
    count.missingFiles++
    missingJobs.push({ job, count, why: oneLine(trouble!) })
  } else if (tests.length === 0) {
    count.fail++
    failing.push([shown, 'file', '(the file has no results)', trouble ?? ''].map(oneLine).join('\t'))
    messages.push(kind(trouble ?? 'no results'))
  } else if (trouble !== undefined) failing.push([shown, 'note', '(uncounted)', trouble].map(oneLine).join('\t'))
}

// How many tests a missing file would have: as many as Node finds in it, or one.
const expected = onNode || options.flag('no-counts') ? [] : await nodePool(missingJobs.map(({ job }) => job))
for (const [i, { job, count, why }] of missingJobs.entries()) {
  const outcome = expected[i]
  const tests = outcome !== undefined && 'result' in outcome ? Math.max(1, outcome.result.tests.length) : 1
  count.missing += tests
  missingLines.push(`${job.path}${job.variant}\t${why}\t${tests}`)
}

function oneLine(text: string | number): string {
  return String(text).replace(/\s+/g, ' ').slice(0, 400)
}
/** A message without what differs from test to test. */
function kind(message: string): string {
  return message
    .replace(/"[^"]*"|'[^']*'(?= |$)/g, match => (match.length > 40 ? '"…"' : match))
    .replace(/\d+/g, 'N')
    .replace(/\s+/g, ' ')
    .slice(0, 110)
}

const sum = (key: keyof Count) => [...counts.values()].reduce((total, count) => total + count[key], 0)
const cells = (name: string, count: Count) => [
  name,
  count.files,
  count.pass,
  count.fail,
  count.onNodeToo,
  count.absent,
  count.missing,
  count.missingFiles,
]
const total: Count = {
  files: sum('files'),
  pass: sum('pass'),
  fail: sum('fail'),
  absent: sum('absent'),
  onNodeToo: sum('onNodeToo'),
  skipped: sum('skipped'),
  missing: sum('missing'),
  missingFiles: sum('missingFiles'),
}
const present = rows.filter(([name]) => counts.has(name)).map(([name]) => cells(name, counts.get(name)!))
const shown = table(
  ['folder', 'files', 'pass', 'fail', 'of these on Node too', 'absent', 'missing', 'missing files'],
  [...present, cells('all', total)],
)
const prefix = onNode ? 'node-' : ''
writeFileSync(join(options.out, `${prefix}table.md`), `${shown}\n`)
writeFileSync(join(options.out, `${prefix}failing.tsv`), failing.map(line => `${line}\n`).join(''))
writeFileSync(join(options.out, `${prefix}missing.tsv`), missingLines.map(line => `${line}\n`).join(''))
console.log(`\n${shown}\n`)
console.log(
  'absent: tests that fail since an interface or encoding does not exist; missing: tests (as many as Node has) of files whose whole subject does not\n',
)
console.log(
  `most frequent messages of what fails:\n${tally(messages)
    .slice(0, 15)
    .map(([text, n]) => `${String(n).padStart(6)}  ${text}`)
    .join('\n')}`,
)
if (total.skipped > 0)
  console.log(`${total.skipped} more are not counted: they need a browser or a server, or have a precondition that does not hold`)
console.log(`\nfailing names: ${join(options.out, `${prefix}failing.tsv`)}; missing files: ${join(options.out, `${prefix}missing.tsv`)}`)
printChanges(options, `${prefix}failing.tsv`, cells =>
  cells[1] === 'note' || cells[1] === 'absent' ? undefined : `${cells[0]}: ${cells[2]}`,
)
