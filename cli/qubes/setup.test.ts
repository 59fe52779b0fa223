/** The script for dom0: how it comes there, and what it runs. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import test from 'ava'

const root = join(import.meta.dirname, '../..')
const tool = join(root, 'cli', 'bin.ts')

const setup = (cwd: string, ...options: string[]): string =>
  execFileSync(process.execPath, [tool, 'qubes', 'setup', ...options], { cwd, encoding: 'utf8' })

/** The command that a line of comment has the other qube run, without the quotes for dom0's shell. */
function commandIn(script: string): string {
  const [, word] = /^#.*qvm-run --pass-io work (.*) > /m.exec(script)!
  return execFileSync('sh', ['-c', `printf %s ${word}`], { encoding: 'utf8' })
}

/** What it prints, as a shell of that qube runs it: in the home of its user. */
function fetched(script: string): string {
  const path = [join(root, 'node_modules/.bin'), dirname(process.execPath), process.env.PATH].join(delimiter)
  return execFileSync('sh', ['-c', commandIn(script)], { cwd: homedir(), encoding: 'utf8', env: { ...process.env, PATH: path } })
}

for (const options of [[], ['--netvm', 'none', '--memory', '64', '--label', 'red']]) {
  test(`the command that fetches the script gives the very same: ${options.join(' ') || 'no options'}`, t => {
    const script = setup(root, 'www', '--from', 'work', ...options)
    t.is(fetched(script), script)
  })
}

test('a folder whose name needs quotes', t => {
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts setup & '))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const script = setup(folder, 'www', '--from', 'work')
  const command = commandIn(script).replace(/&& npx.*/, '&& pwd')
  t.is(execFileSync('sh', ['-c', command], { cwd: homedir(), encoding: 'utf8' }).trim(), folder)
})

test('a shell can read it, and the other qube is told a command that it has', t => {
  const script = setup(root, 'www', '--from', 'work')
  t.notThrows(() => execFileSync('sh', ['-n'], { input: script }))
  t.regex(script, /^echo "In work: npx xen-ts deploy IMAGE www"$/m)
})
