/** Writes abi.h (for the kernel) and abi.ts (for TypeScript) from the table. Run by `make kernel`; the TypeScript side is committed. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { compiledTable } from '../compiled/table.ts'
import { abiHash } from './hash.ts'
import { type AbiFunction, type Argument, abiTable, type Result, waitPorts } from './table.ts'

const tsArgument: Record<Argument, string> = { num: 'number', str: 'string', bytes: 'Uint8Array', fn: '() => void' }
const tsResult: Record<Result, string> = { num: 'number', str: 'string', void: 'void', buffer: 'ArrayBuffer | undefined', any: 'unknown' }

/** C: an enum of the numbers, and one row per function for the dispatcher in the kernel: X(name, result, "argument kinds"). */
export function cHeader(): string {
  const rows = abiTable.map(f => `\tX(${f.name}, ${f.result.toUpperCase()}, "${f.args.map(([, kind]) => kind[0]).join('')}")`)
  return `/* Generated from boot/abi/table.ts: do not edit. Argument kinds: n number, s string, b Uint8Array, f function. */
#pragma once
#define ABI_HASH 0x${abiHash().toString(16).padStart(8, '0')}u
#define ABI_COUNT ${abiTable.length}
#define ABI_WAIT_PORTS ${waitPorts}
#define ABI_TABLE(X) \\
${rows.join(' \\\n')}
`
}

/** A doc comment, its lines no longer than the project's. */
function docComment(text: string): string {
  if (text.length <= 130) return `  /** ${text} */`
  return ['  /**', ...(text.match(/.{1,130}(?: |$)/g) ?? []).map(line => `   * ${line.trimEnd()}`), '   */'].join('\n')
}

function member(f: AbiFunction): string {
  const args = f.args.map(([name, kind]) => `${name}: ${tsArgument[kind]}`).join(', ')
  return `${docComment(f.doc)}\n  ${f.name}(${args}): ${tsResult[f.result]}`
}

export function tsInterface(): string {
  return `// Generated from boot/abi/table.ts by boot/abi/generate.ts: do not edit.
/** What the kernel offers to TypeScript. The guest has the real one, tests have the simulated Xen's. */
export interface Abi {
${abiTable.map(member).join('\n')}
}

export const abiHash = 0x${abiHash().toString(16).padStart(8, '0')}
/** The most ports that one \`wait\` gives. */
export const waitPorts = ${waitPorts}
export const abiNames = [
${abiTable.map(f => `  '${f.name}',`).join('\n')}
] as const
/** Those that are compiled from TypeScript (boot/compiled). */
export type CompiledName = ${compiledTable.map(f => `'${f.name}'`).join(' | ')}
`
}

if (import.meta.main) {
  const headerPath = process.argv[2] ?? new URL('../build/abi.h', import.meta.url).pathname
  mkdirSync(dirname(headerPath), { recursive: true })
  const write = (path: string, text: string) => {
    let old = ''
    try {
      old = readFileSync(path, 'utf8')
    } catch {
      /* first time */
    }
    if (old !== text) writeFileSync(path, text)
  }
  write(headerPath, cHeader())
  write(new URL('./abi.ts', import.meta.url).pathname, tsInterface())
}
