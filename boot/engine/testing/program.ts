/** Whole programs: pieces that run one after the other, each of them a function, with variables that they share. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { Choices } from './choices.ts'
import { body } from './functions.ts'
import { literal } from './literals.ts'
import type { Place, Variable } from './place.ts'

export const prelude = readFileSync(new URL('prelude.js', import.meta.url), 'utf8')

/** A program by the choices of each of its pieces. */
export function write(pieces: readonly Uint8Array[]): string {
  const functions = pieces.map(writePiece)
  return `${prelude}\n${functions.join('\n')}\n${functions.map((_, i) => `run('${i}', piece${i})`).join('\n')}`
}

/** Without what all programs have. */
export const ownText = (program: string): string => program.slice(prelude.length + 1)

function writePiece(bytes: Uint8Array, i: number): string {
  const choices = new Choices(bytes)
  const [head, isAsync, isGenerator] = choices.of([
    ['function', false, false],
    ['function', false, false],
    ['async function', true, false],
    ['function*', false, true],
  ] as const)
  const isStrict = choices.chance(180)
  const around: Variable[] = [`s${i}`, `t${i}`].map(name => ({ name, kind: 'any' }))
  const declared = around.map(({ name }) => `let ${name} = ${literal(choices)};`).join(' ')
  const place: Place = {
    choices,
    variables: [{ name: 'shared', kind: 'any' }, ...around],
    levels: 4,
    isAsync,
    isGenerator,
    inFunction: true,
    inMethod: false,
    inLoop: false,
    inSwitch: false,
    labels: [],
    privates: [],
  }
  const text = body(place, 12)
  // One statement a line: positions in stacks tell them apart.
  return `const piece${i} = (() => { ${isStrict ? "'use strict';" : ''} ${declared} return ${head} piece${i}(first, second) ${text.replaceAll('; ', ';\n')} })()`
}

/** Programs of fast-check, the body of a function each: pieces and their choices shrink. */
export const programs = fc
  .array(fc.uint8Array({ minLength: 0, maxLength: 400, size: 'max' }), { minLength: 1, maxLength: 10, size: 'max' })
  .map(write)
