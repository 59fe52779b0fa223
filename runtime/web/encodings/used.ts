/** Which encodings beyond utf-8 and windows-1252 a program may need, by its text. For the tool; nothing of it is in an image. */
import { multiByte, rareLabels } from './others.ts'
import * as tables from './tables.ts'
import { utf16Labels } from './utf16.ts'

/** What an image can have, by the labels that bring it: the name of a table, or of a module. */
const parts: readonly (readonly [part: string, labels: string])[] = [
  ...Object.entries(tables).map(([name, { labels }]) => [name, labels] as const),
  ['utf16', Object.values(utf16Labels).join(' ')],
  ['others', ['x-user-defined', ...Object.values(rareLabels), ...Object.values(multiByte)].join(' ')],
]

/** A decoder whose label is not there to be read. */
const ANY_LABEL = /\bTextDecoder(?:Stream)?\s*\(\s*(?!['"`)]|void 0\b|undefined\b)/
const LITERALS = /(['"`])\s*([\w.:-]{2,20})\s*\1/g

/**
 * A label counts wherever it stands as a literal, in a program that names TextDecoder: it may be called by another name, with a label
 * from a list. One that calls it with what it was given may be given anything.
 */
export function encodingsIn(code: string): string[] {
  if (!/\bTextDecoder/.test(code)) return []
  if (ANY_LABEL.test(code)) return parts.map(([part]) => part)
  const literals = new Set([...code.matchAll(LITERALS)].map(([, , text]) => text.toLowerCase()))
  return parts.filter(([, labels]) => labels.split(' ').some(label => literals.has(label))).map(([part]) => part)
}
