/** Looks at a program without connecting anything: its module is evaluated, and its devices and arguments are read. */
import { ArgReader, type ArgTable, helpText, optionName } from '../args.ts'
import { DeviceError } from '../graph.ts'
import { type Plan, planOf } from '../plan.ts'
import { describe, type Program, programOf } from '../program.ts'
import { allArgs } from '../start.ts'
import type { Elsewhere, Target } from '../target.ts'
import { UsageError } from '../usage-error.ts'
import { madeAt } from './device.ts'

export interface ExamineOptions {
  readonly target: Target
  readonly elsewhere: Elsewhere
  /** Of a program that is only a handler. */
  readonly name: string
  /** Words of a command line that count less than others, each list less than those before it. */
  readonly words: readonly (readonly string[])[]
  readonly program: () => Promise<unknown>
}

/** What cannot be. */
export interface Problem {
  /** When it was found: while the module was evaluated, in the program and its devices, or in the words. */
  readonly of: 'module' | 'program' | 'words'
  readonly message: string
  /** Of the error, or of the description of the device that is wrong. */
  readonly stack: string
}

export interface Examined {
  readonly name: string
  /** As `describe` has it. */
  readonly text: string
  /** Its own arguments, as on a command line. */
  readonly args: readonly { readonly option: string; readonly shape: string; readonly doc: string }[]
  /** What `--help` of it prints. */
  readonly help: string
  readonly plan: Plan
}

export async function examine(options: ExamineOptions): Promise<Examined | Problem> {
  const { target, elsewhere, name, words } = options
  let module: unknown
  try {
    module = await options.program()
  } catch (error) {
    // What unikernel() refuses is wrong wherever it runs.
    return problem(error instanceof UsageError ? 'program' : 'module', error)
  }
  let program: Program
  let table: ArgTable
  let plan: Plan
  try {
    program = programOf(module, name)
    table = allArgs(program, target)
    plan = planOf(program.devices, target, elsewhere)
  } catch (error) {
    return problem('program', error)
  }
  try {
    const reader = new ArgReader(table)
    for (const each of words) reader.defaults(each)
    reader.check()
  } catch (error) {
    return problem('words', error)
  }
  return {
    name: program.name,
    text: describe(program, target, elsewhere),
    args: Object.entries(program.args).map(([key, { shape, doc }]) => ({ option: `--${optionName(key)}`, shape, doc })),
    help: helpText(program.name, { [program.name]: program.args, [`target ${target.name}`]: target.args ?? {} }),
    plan,
  }
}

function problem(of: Problem['of'], error: any): Problem {
  const device: any = error instanceof DeviceError ? error.device : undefined
  const message = error instanceof Error ? (of === 'module' ? `${error.name}: ${error.message}` : error.message) : String(error)
  return { of, message, stack: device?.[madeAt] ?? error?.stack ?? '' }
}
