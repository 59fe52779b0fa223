/** Compiled bodies as a file of the kernel's build: bodies.json, which the image composer reads. */
import { readPieces, type WrittenPieces, writePieces } from '../stencils/file.ts'
import type { Piece } from '../stencils/object.ts'

export interface CompiledBody {
  readonly entries: readonly number[]
}

export interface CompiledBodies {
  /** By key. */
  readonly bodies: ReadonlyMap<string, CompiledBody>
  /** body_KEY for each, and what they share. */
  readonly pieces: ReadonlyMap<string, Piece>
  readonly data: Uint8Array
}

/** Names of its pieces: the body, and what is called. */
export const bodyName = (key: string): string => `body_${key}`
export const entryName = (key: string): string => `call_${key}`

interface Written extends WrittenPieces {
  readonly bodies: readonly (readonly [key: string, entries: readonly number[]])[]
}

export function writeBodiesFile({ bodies, ...object }: CompiledBodies): string {
  const file: Written = { bodies: [...bodies].map(([key, { entries }]) => [key, entries] as const), ...writePieces(object) }
  return `${JSON.stringify(file)}\n`
}

export function readBodiesFile(text: string): CompiledBodies {
  const { bodies, ...written }: Written = JSON.parse(text)
  return { bodies: new Map(bodies.map(([key, entries]) => [key, { entries }])), ...readPieces(written) }
}
