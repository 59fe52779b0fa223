/** esbuild's messages, as the tool says them. */
import { relative, resolve } from 'node:path'
import { nearest } from '@xen-ts/runtime/machine'
import type { Message } from 'esbuild'
import { CliError, caret } from '../errors.ts'
import { isOwnAssets } from './assets.ts'
import { missingJsx } from './jsx.ts'
import { nodeModule } from './modules.ts'
import { ownFolder } from './own.ts'

/** The first error as the message, all of them as the place. */
export async function bundleError(errors: readonly Message[], root: string, target: string): Promise<CliError> {
  const [first, ...more] = await Promise.all(errors.slice(0, 5).map(message => inOurWords(message, root, target)))
  const rest = more.map(message => `\n${showMessage(message, root)}`).join('')
  return new CliError(first.text, place(first, root) + rest, first.hint)
}

export async function showWarning(message: Message, root: string, target: string): Promise<string> {
  return showMessage(await inOurWords(message, root, target), root)
}

interface Said extends Pick<Message, 'text' | 'location'> {
  readonly hint?: string
}

async function inOurWords({ text, location, notes, pluginName }: Message, root: string, target: string): Promise<Said> {
  const unresolved = /^Could not resolve "(.+)"$/.exec(text)?.[1]
  if (unresolved !== undefined) {
    const known = missingJsx(unresolved) ?? nodeModule(unresolved, target)
    return { location, text, hint: 'is it installed, and is the path right? (npm install NAME)', ...known }
  }
  const [, file, name] = /^No matching export in "(.+)" for import "(.+)"$/.exec(text) ?? []
  if (file !== undefined) return { location, text: await noExport(file, name, root) }
  const [, member, where] = /^Import "(.+)" will always be undefined because there is no matching export in "(.+)"$/.exec(text) ?? []
  if (where !== undefined) return { location, text: await noExport(where, member, root) }
  if (text.startsWith('"import.meta" is not available'))
    return { location, text: 'import.meta is empty in an image: there is no file to be relative to' }
  if (text.includes('Top-level await'))
    return { location, text, hint: 'await inside start() instead: the top level of a program runs to its end' }
  // Notes of our own plugins say what to do; esbuild's are about its own options.
  return { location, text, hint: pluginName ? notes[0]?.text : undefined }
}

/** @param shown the module as esbuild calls it */
async function noExport(shown: string, name: string, root: string): Promise<string> {
  const file = resolve(root, shown)
  const folder = isOwnAssets(shown) ? 'cli' : ownFolder(file)
  if (folder === undefined) return `${relative(process.cwd(), file)} has no ${name}`
  const path = folder === 'cli' ? 'xen-ts' : `@xen-ts/${folder}`
  const names = await namesOf(isOwnAssets(shown) ? 'xen-ts' : file)
  // nearest() does not tell classes from functions: those that begin alike come first.
  const near = nearest(name, [...names.filter(one => isCapital(one) === isCapital(name)), ...names])
  return `${path} has no ${name}${near === undefined ? '' : `; did you mean ${near}?`}`
}

const isCapital = (name: string): boolean => /^[A-Z]/.test(name)

async function namesOf(module: string): Promise<string[]> {
  try {
    return Object.keys(await import(module))
  } catch {
    return []
  }
}

function showMessage(message: Said, root: string): string {
  return `${message.text}\n${place(message, root)}`
}

function place({ location }: Said, root: string): string {
  if (!location) return ''
  const file = relative(process.cwd(), resolve(root, location.file))
  return caret({ file, line: location.line, column: location.column, lineText: location.lineText, length: location.length })
}
