/** `xen-ts configure`: writes main.ts beside a program, and says what it chose and why. */
import { existsSync } from 'node:fs'
import { basename, dirname, relative } from 'node:path'
import { CliError } from '../errors.ts'
import { addressWords, checkWords, describeAddress, describeNet } from './address.ts'
import { replaceFile } from './build.ts'
import { examined } from './examine.ts'
import { isGenerated, mainPath } from './main-file.ts'
import { beside, headerText, mainText } from './main-module.ts'
import { checkNetwork, type GivenOptions, hasStack, targetOf } from './prepare.ts'
import { findProject } from './project.ts'
import { allTargets } from './targets.ts'

export interface Configured {
  /** Absolute path of main.ts. */
  readonly path: string
  /** What was chosen, and why: pairs. */
  readonly choices: readonly (readonly [string, string])[]
}

/** @throws CliError for a program, options or a target that do not go together; nothing is written then */
export async function configure(app: string, options: GivenOptions): Promise<Configured> {
  const project = findProject(app)
  const path = mainPath(project)
  const shown = relative(process.cwd(), path)
  if (path === project.entry)
    throw new CliError(
      `${shown} is the program itself, and is what configure would write`,
      shown,
      'give the program another name, such as app.ts',
    )
  if (existsSync(path) && !isGenerated(path))
    throw new CliError(
      `${shown} exists, and was not generated`,
      shown,
      'give that file another name: configure writes main.ts beside the program',
    )
  const { target, main } = await targetOf(project, options.target, 'xen')
  const known = target.target
  const address = options.address ?? {}
  const words = [...addressWords(address, known, await allTargets()), ...(options.args ?? [])]
  const values = checkWords([words], known)
  const found = await examined(project, target, { words: [words] })
  checkNetwork(found, address, known)
  const { body, hash } = mainText(project, target, found, words)
  const folder = dirname(path)
  const header = {
    program: beside(folder, project.entry),
    target: target.specifier === undefined ? beside(folder, target.module) : target.name,
    words,
    hash,
  }
  replaceFile(path, headerText(header) + body, shown)

  const why =
    options.target !== undefined
      ? 'as given'
      : main !== undefined
        ? 'as main.ts was'
        : project.target !== undefined
          ? 'package.json says so'
          : 'the default'
  const devices = found.plan.order.map(({ name, by }) => (by === 'target' ? name : `${name} (the program's own)`))
  const stack = hasStack(found, known.uses)
  return {
    path,
    choices: [
      ['program', `${found.name}, ${relative(process.cwd(), project.entry)}`],
      ['target', `${target.name}: ${why}; it becomes ${target.becomes === 'image' ? 'a .xen image' : 'a script for Node'}`],
      ...(known.adds?.length ? [['added', `${known.adds.join(', ')}: target ${target.name} needs them`] as const] : []),
      ['devices', devices.length === 0 ? 'none' : `${devices.join(', ')}: in this order`],
      ...(found.globals.length > 0 ? [['globals', `${found.globals.join(', ')}: the program uses them`] as const] : []),
      ['network', stack ? describeNet(values, known) : 'none: no device needs it'],
      ...(stack ? [['address', describeAddress(values, known, words)] as const] : []),
    ],
  }
}

export async function configureCommand(app: string, options: GivenOptions): Promise<void> {
  const { path, choices } = await configure(app, options)
  for (const [what, text] of choices) process.stdout.write(`${what.padEnd(10)} ${text}\n`)
  process.stdout.write(`\nwrote      ${relative(process.cwd(), path) || basename(path)}: xen-ts build uses it\n`)
}
