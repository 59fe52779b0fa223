/** The stencils as a file of the kernel's build: boot/build/stencils.json, which the image composer reads. */
import type { Code, Piece, RelocationKind, StencilObject } from './object.ts'
import type { StencilSource } from './source.ts'

export interface Stencils extends StencilObject {
  /** Bytes of an instruction by opcode. */
  readonly lengths: ReadonlyMap<number, number>
}

/** Handlers that do not say how long their instruction is: they leave the function, or branch. quickjs-opcode.h has all. */
const otherLengths: readonly (readonly [opcode: number, length: number])[] = [
  [35, 3], // tail_call
  [37, 3], // tail_call_method
  [40, 1], // return
  [41, 1], // return_undef
  [47, 1], // return_async
  [48, 1], // throw
  [49, 6], // throw_error
  [106, 5], // goto
  [108, 5], // gosub
  [109, 1], // ret
  [133, 1], // initial_yield
  [134, 1], // yield
  [135, 1], // yield_star
  [136, 1], // async_yield_star
  [137, 1], // await
  [234, 2], // goto8
  [235, 3], // goto16
]

type WrittenCode = readonly [bytes: string, references: readonly (readonly [number, RelocationKind, string, number])[]]

const writeCode = ({ bytes, references }: Code): WrittenCode => [
  Buffer.from(bytes).toString('base64'),
  references.map(({ offset, kind, target, addend }) => [offset, kind, target, addend] as const),
]

const readCode = ([bytes, references]: WrittenCode): Code => ({
  bytes: new Uint8Array(Buffer.from(bytes, 'base64')),
  references: references.map(([offset, kind, target, addend]) => ({ offset, kind, target, addend })),
})

type WrittenPiece = readonly [name: string, hot: WrittenCode, cold?: WrittenCode]

export interface WrittenPieces {
  readonly data: string
  readonly pieces: readonly WrittenPiece[]
}

export function writePieces({ pieces, data }: StencilObject): WrittenPieces {
  return {
    data: Buffer.from(data).toString('base64'),
    pieces: [...pieces].map(
      ([name, { hot, cold }]): WrittenPiece => (cold ? [name, writeCode(hot), writeCode(cold)] : [name, writeCode(hot)]),
    ),
  }
}

export function readPieces({ data, pieces }: WrittenPieces): StencilObject {
  return {
    data: new Uint8Array(Buffer.from(data, 'base64')),
    pieces: new Map(
      pieces.map(([name, hot, cold]): [string, Piece] => [name, { hot: readCode(hot), ...(cold && { cold: readCode(cold) }) }]),
    ),
  }
}

export function writeStencilFile({ lengths }: Pick<StencilSource, 'lengths'>, object: StencilObject): string {
  const file = { lengths: [...lengths, ...otherLengths].sort(([a], [b]) => a - b), ...writePieces(object) }
  return `${JSON.stringify(file)}\n`
}

export function readStencilFile(text: string): Stencils {
  const { lengths, ...pieces } = JSON.parse(text)
  return { lengths: new Map(lengths), ...readPieces(pieces) }
}
