import test from 'ava'
import { buildProgram } from '../build/build.ts'
import { buildProcess } from '../build/process.ts'
import { folderOf } from '../build/testing.ts'
import { checkProgram } from '../check/check.ts'
import { devCommand } from '../dev/command.ts'
import { CliError } from '../errors.ts'
import { parseNative } from './option.ts'

test('words, and sizes in bytes, KiB or MiB', t => {
  for (const word of ['auto', 'all', 'none'] as const) t.is(parseNative(word), word)
  t.deepEqual(['1', '300000', '300K', '2M', '256M'].map(parseNative), [1, 300_000, 307_200, 2_097_152, 268_435_456])
})

test('what is neither is an error with all three parts', t => {
  for (const wrong of ['', 'some', 'AUTO', '1.5M', '-1', '10k', '1G', '300 K', '0x10', '99999999999', '0', '0K', '257M']) {
    const error = t.throws(() => parseNative(wrong), { instanceOf: CliError }, wrong) as CliError
    t.is(error.where, `--native ${wrong}`)
    t.truthy(error.todo)
  }
  t.regex(t.throws(() => parseNative('0')).message, /cannot have no bytes/)
  t.regex(t.throws(() => parseNative('257M')).message, /cannot have 257M bytes/)
})

const app = { 'app.ts': "export default { fetch: () => new Response('x') }\n" }

test('a build says what is wrong before it does anything', async t => {
  const root = folderOf(t, app)
  for (const work of [
    () => buildProgram({ app: root, output: `${root}/x.xen`, native: 'much' }),
    () => checkProgram(root, 'xen', 'much'),
  ]) {
    const error = (await t.throwsAsync(work(), { instanceOf: CliError })) as CliError
    t.is(error.where, '--native much')
  }
})

test('it is for images', async t => {
  const root = folderOf(t, app)
  const message = /^--native is for images, and target unix becomes a script/
  await t.throwsAsync(buildProcess({ app: root, output: `${root}/x.js`, target: 'unix', native: 'auto' }), { message })
  await t.throwsAsync(checkProgram(root, 'unix', 'auto'), { message })
  const options = { reload: false, native: 'auto' }
  const error = (await t.throwsAsync(devCommand([root], [], options), { instanceOf: CliError })) as CliError
  t.is(error.where, '--native auto')
  await t.throwsAsync(devCommand([root], [], { ...options, xen: true, native: 'much' }), { message: /"much" does not say/ })
})
