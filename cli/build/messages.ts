/** esbuild's messages, as the tool says them. */
import { dirname, relative, resolve } from 'node:path'
import { nearest } from '@xen-ts/runtime/machine'
import { build, type Message } from 'esbuild'
import { CliError, caret } from '../errors.ts'
import { ownFolder } from './own.ts'
import { isOwnAssets } from './own-assets.ts'
import { type Advice, unresolved } from './unresolved.ts'

/** The first error as the message, all of them as the place. */
export async function bundleError(errors: readonly Message[], root: string, target: string): Promise<CliError> {
  const [first, ...more] = await Promise.all(errors.slice(0, 5).map(message => inOurWords(message, root, target)))
  if (more.length === 0) return new CliError(first.text, place(first, root), first.hint)
  const [, ...firstParts] = parts(first, root)
  return new CliError(first.text, [...firstParts, ...more.map(message => showMessage(message, root))].join('\n'))
}

export async function showWarning(message: Message, root: string, target: string): Promise<string> {
  return showMessage(await inOurWords(message, root, target), root)
}

interface Said extends Pick<Message, 'text' | 'location'> {
  readonly hint?: string
}

async function inOurWords({ text, location, notes, pluginName }: Message, root: string, target: string): Promise<Said> {
  const path = /^Could not resolve "(.+)"$/.exec(text)?.[1]
  if (path !== undefined) {
    const folder = location ? dirname(resolve(root, location.file)) : root
    return { location, ...unresolved(path, target, folder, root) }
  }
  const [, file, name] = /^No matching export in "(.+)" for import "(.+)"$/.exec(text) ?? []
  if (file !== undefined) return { location, ...(await noExport(file, name, root)) }
  const [, member, where] = /^Import "(.+)" will always be undefined because there is no matching export in "(.+)"$/.exec(text) ?? []
  if (where !== undefined) return { location, ...(await noExport(where, member, root)) }
  if (text.startsWith('"import.meta" is not available'))
    return { location, text: 'import.meta is empty in an image: there is no file to be relative to' }
  const sloppy = /^(.+) cannot be used with the "esm" output format due to strict mode$/.exec(text)?.[1]
  if (sloppy !== undefined)
    return {
      location,
      text: `${sloppy} cannot be used: all code of a bundle is strict, as modules are`,
      hint: 'take a version of the package for browsers or edge runtimes, or another package',
    }
  if (text.includes('Top-level await'))
    return { location, text, hint: 'await inside start() instead: the top level of a program runs to its end' }
  const ending = /^No loader is configured for "(.+)" files: /.exec(text)?.[1]
  if (ending !== undefined)
    return {
      location,
      text: `files with the ending ${ending} cannot be imported`,
      hint: "files that belong to the program: assets('./folder') from 'xen-ts'",
    }
  if (/^(Expected|Unexpected|Unterminated) /.test(text))
    return { location, text, hint: 'reading stopped here: what is wrong may stand a little before' }
  // Notes of our own plugins say what to do; esbuild's are about its own options.
  return { location, text, hint: pluginName ? notes[0]?.text : undefined }
}

/** @param shown the module as esbuild calls it */
async function noExport(shown: string, name: string, root: string): Promise<Advice> {
  const file = resolve(root, shown)
  const folder = isOwnAssets(shown) ? 'cli' : ownFolder(file)
  const path = folder === undefined ? relative(process.cwd(), file) : folder === 'cli' ? 'xen-ts' : `@xen-ts/${folder}`
  const names = folder === undefined ? await exportsOf(file) : await namesOf(isOwnAssets(shown) ? 'xen-ts' : file)
  // nearest() does not tell classes from functions: those that begin alike come first.
  const near = nearest(name, [...names.filter(one => isCapital(one) === isCapital(name)), ...names])
  const guess = near === undefined ? 'it' : `did you mean ${near}? It`
  const shownNames = [...names].sort().slice(0, MOST_NAMES).join(', ') + (names.length > MOST_NAMES ? ', ...' : '')
  return { text: `${path} has no ${name}`, hint: `${guess} exports ${shownNames || 'nothing'}` }
}

/** Of the exports of a module, that are listed. */
const MOST_NAMES = 30

const isCapital = (name: string): boolean => /^[A-Z]/.test(name)

async function namesOf(module: string): Promise<string[]> {
  try {
    return Object.keys(await import(module))
  } catch {
    return []
  }
}

/** What a file of the program says it exports: it is not evaluated. */
async function exportsOf(file: string): Promise<string[]> {
  try {
    const { metafile } = await build({ entryPoints: [file], write: false, metafile: true, format: 'esm', outdir: '.', logLevel: 'silent' })
    return Object.values(metafile.outputs)[0].exports
  } catch {
    return []
  }
}

function showMessage(message: Said, root: string): string {
  return parts(message, root).join('\n')
}

/** What, where, what to do: those that there are. */
function parts(message: Said, root: string): string[] {
  return [message.text, place(message, root), message.hint ?? ''].filter(part => part !== '')
}

function place({ location }: Said, root: string): string {
  if (!location) return ''
  const file = relative(process.cwd(), resolve(root, location.file))
  return caret({ file, line: location.line, column: location.column, lineText: location.lineText, length: location.length })
}
