/**
 * The packages of test/packages, installed in that folder, where Node and the tool find them from its programs: by its own lock file, once until
 * that changes. They are no part of the workspace: who installs the repository does without them.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

export const packages = join(import.meta.dirname, '../packages')

/** Throws when npm cannot install them: with a registry out of reach only what its cache has. */
export async function install(): Promise<void> {
  const hash = createHash('sha256')
    .update(readFileSync(join(packages, 'package-lock.json')))
    .digest('hex')
  const stamp = join(packages, 'node_modules/.installed') // npm ci removes it with the folder
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return
  try {
    await promisify(execFile)('npm', ['ci', '--prefer-offline', '--loglevel=error'], { cwd: packages })
  } catch (error) {
    const said = String((error as { stderr?: string }).stderr)
      .split('\n')
      .slice(0, 5)
      .join('\n')
    throw new Error(`the packages of test/packages could not be installed; npm says:\n${said}`)
  }
  writeFileSync(stamp, hash)
}

/** What a bundler's plugin would do: programs/page.svelte as a module for servers, made/page.js. */
export async function compileComponents(): Promise<void> {
  const compiler = createRequire(join(packages, 'package.json')).resolve('svelte/compiler')
  const module = await import(pathToFileURL(compiler).href)
  const { compile } = module.default ?? module // of a CommonJS build
  const source = readFileSync(join(packages, 'programs/page.svelte'), 'utf8')
  const { js } = compile(source, { generate: 'server', filename: 'page.svelte' })
  mkdirSync(join(packages, 'made'), { recursive: true })
  writeFileSync(join(packages, 'made/page.js'), js.code)
}
