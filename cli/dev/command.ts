import { findProject } from '../build/project.ts'
import { findTarget } from '../build/targets.ts'
import { CliError } from '../errors.ts'
import { parseNative } from '../native/option.ts'
import { inThreeParts } from '../run/rig-errors.ts'
import { type DevelopOptions, develop } from './develop.ts'
import { Front } from './front.ts'
import { ProcessBuilder } from './process-builder.ts'
import { ProcessRunner } from './process-runner.ts'

export interface DevOptions {
  port?: number
  reload: boolean
  /** On the emulated Xen. */
  xen?: boolean
  /** Of the image. */
  target?: string
  /** MiB. */
  memory?: number
  /** How much becomes machine code. */
  native?: string
}

/**
 * `xen-ts dev`: the program under Node or on the emulated Xen, anew when its sources change, until it is interrupted.
 * @param words after the options: the program, if it is named, and behind `--` its own arguments
 */
export async function devCommand(words: readonly string[], argv: readonly string[], options: DevOptions): Promise<number> {
  const [app, args] = programAndArguments(words, argv)
  const { port, reload } = options
  refuseXenOptions(options)
  const find = () => findProject(app)
  const { name } = find()
  const front = new Front(reload)
  const taken = await front.listen(port)
  const ends = new AbortController()
  const note = (text: string): void => void process.stderr.write(`xen-ts: ${text.replaceAll('\n', '\n  ')}\n`)
  const parts = await (options.xen ? onXen(args, options, note) : underNode(args))
  const interrupted = (): void => {
    if (ends.signal.aborted) void parts.runner.dispose().finally(() => process.exit(130))
    ends.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupted)
  const base = `http://localhost:${taken}/`
  note(port !== undefined || taken === 8080 ? `${base} leads to ${name}` : `port 8080 of localhost is in use: ${base} leads to ${name}`)
  try {
    await inThreeParts(() =>
      develop({
        find,
        ...parts,
        front,
        onNote: note,
        onLine: line => void process.stderr.write(`${shown(line, base)}\n`),
        signal: ends.signal,
      }),
    )
    return 0
  } finally {
    front.close()
  }
}

/** What the program listens on is behind our port, and its files are called as in other messages. */
const shown = (line: string, base: string): string =>
  /^\s+at /.test(line)
    ? line.replaceAll(`${process.cwd()}/`, '')
    : line.replace(/( listening on )http:\/\/localhost(:\d+)?\/$/, `$1${base}`)

async function underNode(args: readonly string[]): Promise<Pick<DevelopOptions, 'builder' | 'runner'>> {
  const target = await findTarget('unix', process.cwd())
  return { builder: (project, sources) => new ProcessBuilder(project, target, sources), runner: new ProcessRunner(args) }
}

/** The machine is started meanwhile, and stays up from one program to the next. */
async function onXen(
  args: readonly string[],
  { target, memory, native }: DevOptions,
  onNote: (text: string) => void,
): Promise<Pick<DevelopOptions, 'builder' | 'runner'>> {
  const [{ XenBuilder }, { XenRunner }] = await Promise.all([import('./xen-builder.ts'), import('./xen-runner.ts')])
  const runner = new XenRunner({ args, memory, onNote })
  return { builder: (project, sources) => new XenBuilder({ project, target, native, args, sources }), runner }
}

function refuseXenOptions({ xen, target, memory, native }: DevOptions): void {
  if (xen) {
    if (native !== undefined) parseNative(native)
    return
  }
  const given =
    target !== undefined
      ? `--target ${target}`
      : memory !== undefined
        ? `--memory ${memory}`
        : native !== undefined
          ? `--native ${native}`
          : undefined
  if (given === undefined) return
  throw new CliError(`${given.split(' ')[0]} is for programs on the emulated Xen`, given, 'give --xen as well, or leave it out')
}

/** Which of the words are the program's arguments only the command line as a whole tells. */
export function programAndArguments(words: readonly string[], argv: readonly string[]): [app: string, args: readonly string[]] {
  const dashes = argv.indexOf('--')
  const own = dashes < 0 ? 0 : argv.length - dashes - 1
  const given = words.slice(0, words.length - own)
  if (given.length > 1)
    throw new CliError(
      `there is one program at a time, and these are ${given.length}`,
      given.join(' '),
      "the program's own arguments follow --",
    )
  return [given[0] ?? '.', words.slice(words.length - own)]
}
