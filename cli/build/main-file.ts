/** The generated main.ts beside a program: found, compared with what it would be now, removed. */
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { Examined } from '@xen-ts/runtime/examine'
import { CliError } from '../errors.ts'
import { beside, commandText, type Header, headerText, MARK, mainText, readHeader } from './main-module.ts'
import type { Project } from './project.ts'
import type { FoundTarget } from './targets.ts'

const NAME = 'main.ts'

export interface MainFile extends Header {
  /** Absolute. */
  readonly path: string
  readonly text: string
}

export const mainPath = (project: Project): string => join(dirname(project.entry), NAME)

/** Whether a file was generated. */
export const isGenerated = (path: string): boolean =>
  basename(path) === NAME && existsSync(path) && statSync(path).isFile() && readFileSync(path, 'utf8').startsWith(MARK)

/** The main.ts of a program; undefined when there is none, or it is another's. @throws CliError for one whose header is broken */
export function findMain(project: Project): MainFile | undefined {
  const path = mainPath(project)
  if (!isGenerated(path)) return undefined
  const text = readFileSync(path, 'utf8')
  const header = readHeader(text)
  const shown = relative(process.cwd(), path)
  if (header === undefined)
    throw new CliError(
      `the header of ${shown} cannot be read`,
      `${shown}:1`,
      'xen-ts clean removes the file, xen-ts configure writes it anew',
    )
  return resolve(dirname(path), header.program) === project.entry ? { ...header, path, text } : undefined
}

/** @throws CliError when it is not what configure would write now, with the command that does */
export function checkMain(main: MainFile, project: Project, target: FoundTarget, found: Examined & { globals: readonly string[] }): void {
  const { body, hash } = mainText(project, target, found, main.words)
  if (hash === main.hash) return
  const folder = dirname(main.path)
  const from = (path: string): string => relative(process.cwd(), resolve(folder, path)) || '.'
  const command = commandText({
    program: from(main.program),
    target: main.target.startsWith('.') ? beside(process.cwd(), resolve(folder, main.target)) : main.target,
    words: main.words,
  })
  throw new CliError(
    `${from(NAME)} is stale: the program, its target or its devices have changed since it was written`,
    difference(main, headerText({ ...main, hash }) + body, from(NAME)),
    `renew it: ${command}\n  or remove it: xen-ts clean ${from(main.program)}`,
  )
}

/** The first line that would be another. */
function difference({ text }: MainFile, now: string, shown: string): string {
  const [before, after] = [text.split('\n'), now.split('\n')]
  const isHash = (line: string | undefined): boolean => line?.startsWith('// sha256: ') === true
  const at = after.findIndex((line, i) => line !== before[i] && !isHash(line))
  return at < 0 ? shown : `${shown}:${at + 1}\n- ${before[at] ?? ''}\n+ ${after[at]}`
}

/** What `xen-ts clean` removes, absolute. `app`: a folder, or the program. */
export function generatedFor(app: string): string[] {
  const path = resolve(app)
  if (!existsSync(path)) throw new CliError(`there is no ${app}`, undefined, 'give the folder of the program, or its file')
  if (statSync(path).isDirectory()) return [join(path, NAME), join(path, 'src', NAME)].filter(isGenerated)
  const main = join(dirname(path), NAME)
  if (!isGenerated(main)) return []
  const program = readHeader(readFileSync(main, 'utf8'))?.program
  return path === main || program === undefined || resolve(dirname(main), program) === path ? [main] : []
}

/** `xen-ts clean`. */
export function cleanCommand(app: string): void {
  const paths = generatedFor(app)
  for (const path of paths) {
    rmSync(path)
    process.stdout.write(`removed    ${relative(process.cwd(), path)}\n`)
  }
  if (paths.length === 0) process.stdout.write('there is nothing to remove: no main.ts here was generated\n')
}
