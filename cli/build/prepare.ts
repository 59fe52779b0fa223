/** What a build finds out of a program before it is bundled: which main.ts it has, and that its devices and arguments can be. */
import { relative, resolve } from 'node:path'
import type { Target } from '@xen-ts/runtime'
import { CliError } from '../errors.ts'
import { type AddressOptions, addressWords, checkWords } from './address.ts'
import type { MainModule } from './bundle.ts'
import type { Examination } from './examine.ts'
import { checkMain, findMain, type MainFile } from './main-file.ts'
import type { Project } from './project.ts'
import { allTargets, type FoundTarget, findTarget } from './targets.ts'

export interface GivenOptions {
  readonly target?: string
  /** Where addresses come from. */
  readonly address?: AddressOptions
  /** The program's own arguments, as on a command line. */
  readonly args?: readonly string[]
  /** How much becomes machine code: auto, all, none, or bytes. Images only. */
  readonly native?: string
}

export interface Prepared {
  readonly target: FoundTarget
  readonly main: MainModule
  readonly warnings: readonly string[]
  /**
   * Examines the program, and checks its main.ts.
   * @param booted the program's text, and the key of the snapshot that it was booted for
   * @returns warnings @throws CliError
   */
  check(booted?: { readonly code: string; readonly key?: string }): Promise<string[]>
}

/** The target, by what was given, then a main.ts, then package.json. @param usual where none says anything */
export async function targetOf(
  project: Project,
  given: string | undefined,
  usual: string,
): Promise<{ target: FoundTarget; main?: MainFile }> {
  const main = findMain(project)
  if (given !== undefined) return { target: await findTarget(given, process.cwd()), main }
  if (main !== undefined) return { target: await findTarget(main.target, resolve(main.path, '..')), main }
  return { target: await findTarget(project.target ?? usual, project.root) }
}

/** @throws CliError for options that cannot be */
export async function prepare(project: Project, options: GivenOptions, usual: string): Promise<Prepared> {
  const { target, main } = await targetOf(project, options.target, usual)
  const isFor = main !== undefined && (await findTarget(main.target, resolve(main.path, '..'))).module === target.module
  const words = [...addressWords(options.address ?? {}, target.target, await allTargets()), ...(options.args ?? [])]
  const lists = isFor ? [words, main.words] : [words]
  checkWords(lists, target.target)
  const warnings =
    main === undefined || isFor
      ? []
      : [`${relative(process.cwd(), main.path)} is for target ${main.target} and is not used for ${target.name}`]
  return {
    target,
    main: { main: isFor ? main.path : undefined, defaults: words },
    warnings,
    async check(booted) {
      const { examineBooted, examineProgram, isProblem, problemError } = await import('./examine.ts')
      const request = { words: lists, code: booted?.code }
      const known = booted?.key === undefined ? undefined : await examineBooted(booted.key, project, target, { ...booted, words: lists })
      const found = known ?? (await examineProgram(project, target, request))
      if (isProblem(found)) {
        // Perhaps it needs a machine: at boot it has one.
        if (found.of === 'module' && !isFor) {
          const { message, where, todo } = problemError(found, project)
          return [`${message}: its devices are checked at boot only\n${where}\n${todo}`]
        }
        const isOfMain = isFor && found.of === 'words' && main.words.some(word => found.message.includes(word))
        throw isOfMain ? staleWords(main, problemError(found, project).message) : problemError(found, project)
      }
      if (isFor) checkMain(main, project, target, found)
      checkNetwork(found, options.address ?? {}, target.target)
      return []
    },
  }
}

/** A main.ts with arguments that the program has no more, or takes otherwise. */
const staleWords = ({ path }: MainFile, message: string): CliError =>
  new CliError(
    message,
    `${relative(process.cwd(), path)}, which was configured with it`,
    'run xen-ts configure again with other arguments; the file begins with the command that made it',
  )

/** @throws CliError for addresses of a program without a network */
export function checkNetwork(found: Exclude<Examination, { of: string }>, address: AddressOptions, { name, kinds, uses }: Target): void {
  const given = Object.entries(address).filter(([, value]) => value !== undefined)
  // A target without the kind knows itself what it does with its arguments.
  if (given.length === 0 || hasStack(found, uses) || !Object.hasOwn(kinds, 'stack')) return
  throw new CliError(
    `${found.name} has no network on target ${name}: there is nothing to give an address to`,
    given.map(([key]) => `--${key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`).join(' '),
    'leave it out, or give the program a device stack() or http()',
  )
}

/** Whether there is a stack: the program's, that of a global such as `fetch`, or one that the target uses. */
export const hasStack = (found: Exclude<Examination, { of: string }>, uses: readonly string[] = []): boolean =>
  uses.includes('stack') || found.globals.length > 0 || found.plan.order.some(({ name, by }) => name === 'stack' && by === 'target')
