/**
 * llhttp's request cases against the project's HTTP server: does it take the same messages and refuse the same? Strict cases are compared;
 * of the lenient ones it is only told which the server takes. There is no parser of responses in the project yet: those cases are counted only.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { printChanges } from '../lib/against.ts'
import { findRepository, listFiles, unpack } from '../lib/fetched.ts'
import { commit } from '../lib/guest.ts'
import { readOptions } from '../lib/options.ts'
import { table } from '../lib/table.ts'
import { type Case, readCases } from './cases.ts'
import { type Answer, ask } from './server.ts'

const options = readOptions('llhttp')
const repository = findRepository(options.fetched, ['nodejs/llhttp'])
const root = join(options.out, 'llhttp')
const files = unpack(
  repository,
  listFiles(repository, ['test']).filter(path => /^test\/(request|response)\/.*\.md$/.test(path)),
  root,
)
const all = files
  .flatMap(file => readCases(file, readFileSync(join(root, file), 'utf8')))
  .filter(({ place, name }) => options.words.length === 0 || options.words.some(word => `${place} ${name}`.includes(word)))
const strict = all.filter(({ type }) => type === 'request' || type === 'request-finish')
const lenient = all.filter(({ type }) => type.startsWith('request-lenient'))
console.log(
  `llhttp of ${repository.date} (${repository.commit.slice(0, 10)}): ${strict.length} strict requests, ${lenient.length} lenient ones, ${all.length - strict.length - lenient.length} responses (not run); xen-ts ${commit()}`,
)

type Verdict = 'agree' | 'stricter' | 'laxer' | 'other'

/** RFC 9112 section 3.2 wants a Host in each request of HTTP/1.1; llhttp's cases seldom have one. */
const withHost = (input: string): string =>
  input.replace(/(?<=^|\r\n)([A-Za-z-]+ \S* HTTP\/1\.[1-9]\r\n)([^]*?\r\n\r\n|[^]*$)/g, (all, line, head) =>
    /(^|\r\n)host[ \t]*:/i.test(head) ? all : `${line}Host: h\r\n${head}`,
  )

const refusals = (answer: Answer) => answer.statuses.filter(status => status >= 400 && status !== 408)

/** @param completed what was answered with the end of a head behind the bytes, where nothing was without it */
function compare({ expected, meta }: Case, answer: Answer, completed: Answer | undefined): { verdict: Verdict; why: string } {
  const taken = answer.requests.length,
    refused = refusals(answer)
  const ours = `${taken} taken${refused.length > 0 ? `, then ${refused.join(' ')}: ${/\r\n\r\n(.*)$/s.exec(answer.text.slice(answer.text.indexOf(`HTTP/1.1 ${refused[0]}`)))?.[1]?.trim() ?? ''}` : ''}`
  const theirs = `llhttp: ${expected.messages} complete${expected.error === undefined ? '' : `, then "${expected.error}"`}${expected.upgrade ? ', upgrade' : ''}`
  const why = `${ours}; ${theirs}`
  if (taken > expected.messages)
    return {
      verdict: 'laxer',
      why: /method/i.test(expected.error ?? '') ? `${why} (RFC 9110 section 9.1: any token may be a method)` : why,
    }
  if (refused.length > 0) return { verdict: expected.error !== undefined && taken === expected.messages ? 'agree' : 'stricter', why }
  // A flag of the parser that a server does not have.
  if (meta.skipBody) return { verdict: 'agree', why }
  if (taken < expected.messages) return { verdict: 'other', why }
  // Nothing was said yet: a head is judged when it is complete.
  if (expected.error !== undefined && expected.messages === 0 && completed !== undefined)
    return completed.requests.length === 0 && refusals(completed).length > 0
      ? { verdict: 'agree', why }
      : { verdict: 'laxer', why: `${why}; with an end of the head behind it: ${completed.statuses.join(' ') || 'it waits'}` }
  const bodies = answer.requests.map(({ body }) => body).join('')
  // A Request of GET has no body in the web platform, whatever came.
  if (
    !expected.methods.some(method => method === 'GET' || method === 'HEAD') &&
    !expected.upgrade &&
    expected.error === undefined &&
    expected.messages > 0 &&
    bodies.length !== expected.body.length &&
    !/\\/.test(expected.body)
  )
    return { verdict: 'other', why: `${why}; a body of ${bodies.length} bytes, not ${expected.body.length}` }
  return { verdict: 'agree', why }
}

const lines: string[] = []
const rows = new Map<string, Record<Verdict, number>>()
let hosts = 0
for (const each of strict) {
  const input = withHost(each.input)
  if (input !== each.input) hosts++
  // Whole, and in single bytes: both must say the same.
  const whole = await ask([input])
  const single = input.length < 3000 ? await ask([...input]) : whole
  const completed = whole.statuses.length === 0 ? await ask([`${input}\r\n\r\n`]) : undefined
  const { verdict, why } = compare(each, whole, completed)
  const file = basename(each.place.replace(/:.*/, ''))
  const row = rows.get(file) ?? { agree: 0, stricter: 0, laxer: 0, other: 0 }
  row[verdict]++
  rows.set(file, row)
  if (verdict !== 'agree') lines.push(`${verdict}\t${each.place.replace(/^test\//, '')}\t${each.name}\t${why}`)
  if (whole.requests.length !== single.requests.length || refusals(whole).length !== refusals(single).length)
    lines.push(
      `pieces\t${each.place.replace(/^test\//, '')}\t${each.name}\twhole: ${whole.statuses.join(' ')}; in single bytes: ${single.statuses.join(' ')}`,
    )
}
for (const each of lenient) {
  const answer = await ask([withHost(each.input)])
  if (answer.requests.length > 0 && each.expected.error === undefined)
    lines.push(
      `lenient\t${each.place.replace(/^test\//, '')}\t${each.name}\t${answer.requests.length} taken, statuses ${answer.statuses.join(' ')} (type ${each.type})`,
    )
}

const sum = (verdict: Verdict) => [...rows.values()].reduce((total, row) => total + row[verdict], 0)
const cells = (name: string, get: (verdict: Verdict) => number) => [name, get('agree'), get('stricter'), get('laxer'), get('other')]
const shown = table(
  ['file', 'agree', 'stricter', 'laxer', 'other'],
  [...[...rows].map(([file, row]) => cells(file, verdict => row[verdict])), cells('all', sum)],
)
writeFileSync(join(options.out, 'table.md'), `${shown}\n`)
writeFileSync(join(options.out, 'differences.tsv'), lines.map(line => `${line.replace(/[\r\n]+/g, ' ')}\n`).join(''))
console.log(`\n${shown}\n\n${hosts} of the cases were given a Host field.\n`)
console.log(lines.map(line => line.replace(/[\r\n]+/g, ' ').slice(0, 260)).join('\n'))
console.log(`\nall differences: ${join(options.out, 'differences.tsv')}`)
printChanges(options, 'differences.tsv', cells => (cells[0] === 'lenient' ? undefined : `${cells[0]}: ${cells[1]} ${cells[2]}`))
process.exit()
