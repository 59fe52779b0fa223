/** Makes the folder of a new program. Nothing here needs a Node newer than 18. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const templates = {
  website: 'pages with Hono and files, over HTTP',
  service: 'a service that other qubes call (Qubes OS)',
  skeleton: 'the least that there is',
} as const

export type Template = keyof typeof templates

/** An error for the person at the keyboard, in three parts. */
export class CreateError extends Error {
  override name = 'CreateError'
  readonly where: string | undefined
  readonly todo: string | undefined

  constructor(what: string, where?: string, todo?: string) {
    super(what)
    this.where = where
    this.todo = todo
  }
}

const source = fileURLToPath(new URL('.', import.meta.url))

/** The oldest Node that xen-ts runs on. */
const NODE = 24

/** @throws CreateError */
export function checkTemplate(name: string): asserts name is Template {
  if (Object.hasOwn(templates, name)) return
  throw new CreateError(`there is no template ${name}`, `--template ${name}`, `templates are ${Object.keys(templates).join(', ')}`)
}

/** Names that a package of this kind cannot have: those of its own dependencies. */
const taken = ['xen-ts', 'hono', 'node', 'typescript']

/**
 * A program's name is that of its package, of its domain, and of its qube: npm wants small letters, Qubes OS a letter first and at most 31 of
 * letters, digits, `-` and `_` (qubes/vm/__init__.py, validate_name).
 * @throws CreateError
 */
export function checkName(name: string): void {
  if (!/^[a-z][a-z0-9_-]{0,30}$/.test(name) || /-dm$/.test(name))
    throw new CreateError(
      `'${name}' cannot be the name of a program`,
      undefined,
      'a name begins with a small letter, and has at most 31 of small letters, digits, - and _ (and does not end in -dm); give one with --name',
    )
  if (taken.includes(name))
    throw new CreateError(`'${name}' is the name of a package that the program needs`, undefined, 'give another one with --name')
}

/** @throws CreateError unless the folder does not exist, or is empty but for what a version control keeps */
export function checkFolder(folder: string): void {
  const path = resolve(folder)
  if (!existsSync(path)) return
  if (!statSync(path).isDirectory()) throw new CreateError(`${folder} is a file`, undefined, 'name a folder that does not exist')
  const found = readdirSync(path).filter(name => name !== '.git')
  if (found.length === 0) return
  const some = found.slice(0, 3).join(', ') + (found.length > 3 ? ', ...' : '')
  throw new CreateError(`${folder} is not empty`, `it has ${some}`, 'name another folder, or empty that one')
}

/** A name for the program in a folder. */
export const nameFor = (folder: string): string =>
  basename(resolve(folder))
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 31)

/**
 * Fills the folder, and makes it if need be.
 * @throws CreateError for what is wrong with one of the three
 */
export function create({ folder, template, name }: { folder: string; template: Template; name: string }): void {
  checkTemplate(template)
  checkName(name)
  checkFolder(folder)
  copy(join(source, 'templates', template), resolve(folder), name)
}

function copy(from: string, to: string, name: string): void {
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const path = join(from, entry.name)
    if (entry.isDirectory()) copy(path, join(to, entry.name), name)
    else if (entry.name === '_package.json') writeFileSync(join(to, 'package.json'), manifest(readFileSync(path, 'utf8'), name))
    // npm leaves files of that name out of packages.
    else writeFileSync(join(to, entry.name.replace(/^_/, '.')), readFileSync(path, 'utf8').replaceAll('{{name}}', name))
  }
}

/** With the name, with xen-ts in the version of this package, and with a Node of its own where there is none that is new enough. */
function manifest(template: string, name: string): string {
  const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
  const made = JSON.parse(template.replaceAll('{{name}}', name).replaceAll('{{version}}', version))
  if (Number.parseInt(process.versions.node, 10) < NODE) {
    made.devDependencies.node = `^${NODE}`
    made.allowScripts.node = true
  }
  return `${JSON.stringify(made, null, 2)}\n`
}
