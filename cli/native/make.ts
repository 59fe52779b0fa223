/** Machine code for an image: chooses functions of the snapshot, and has their bodies made. */
import { existsSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Snapshot } from '@xen-ts/boot'
import { compiledSizes, listFunctions, makeBodies, readBodiesFile, readStencilFile } from '@xen-ts/boot/native'
import type { Bundle } from '../build/image-bundle.ts'
import type { Project } from '../build/project.ts'
import { CliError } from '../errors.ts'
import { chooseFunctions } from './choose.ts'
import { hotShares } from './hot.ts'
import { type FunctionKey, keysOf, keyText } from './keys.ts'
import { type Native, nativeAuto } from './option.ts'

/** A function that has become machine code. */
export interface NativeShare {
  readonly file: string
  readonly name: string
  readonly bytes: number
}

export interface NativeCode extends Pick<ReturnType<typeof makeBodies>, 'snapshot' | 'code'> {
  readonly shares: readonly NativeShare[]
}

const part = (name: string): string => fileURLToPath(import.meta.resolve(`@xen-ts/boot/${name}`))

function readPart(name: 'bodies.json' | 'stencils.json'): string {
  const path = part(name)
  if (existsSync(path)) return readFileSync(path, 'utf8')
  throw new CliError(
    'the kernel was built without what machine code is made of',
    relative(process.cwd(), path),
    'run `make kernel` once; or build with --native none',
  )
}

/**
 * What `auto` takes are functions of xen-ts that were compiled with the kernel. A size, or `all`, has others joined from stencils as well.
 * @throws CliError when the kernel was built without these
 */
export function nativeCode(snapshot: Snapshot, bundle: Pick<Bundle, 'code' | 'map'>, { name, root }: Project, native: Native): NativeCode {
  if (native === 'none') return { snapshot, code: [], shares: [] }
  const compiled = readBodiesFile(readPart('bodies.json'))
  const stencils = readStencilFile(readPart('stencils.json'))
  const functions = listFunctions(snapshot)
  const keyOf = keysOf({ file: `${name}.js`, code: bundle.code, map: bundle.map, root })
  const keys = new Map(functions.map(fn => [fn.address, keyOf(fn)]))
  const make = (chosen: ReadonlySet<number>) => makeBodies(snapshot, stencils, chosen, compiled)
  const made = native === 'all' ? make(new Set(keys.keys())) : native === 'auto' ? ready(nativeAuto) : within(native)
  const shares = made.shares.map(({ address, bytes }) => {
    const { file, name } = keys.get(address) ?? { file: '', name: '' }
    return { file, name, bytes }
  })
  return { ...made, shares: shares.sort((a, b) => b.bytes - a.bytes) }

  /** Only such as have been compiled. */
  function ready(budget: number) {
    const shares = hotShares()
    const counts = new Map<number, number>()
    for (const [address, key] of keys) {
      const share = key?.isOwn ? shares.get(keyText(key)) : undefined
      if (share !== undefined) counts.set(address, share)
    }
    const sizes = compiledSizes(snapshot, new Set(counts.keys()), compiled)
    const sized = functions.filter(({ address }) => sizes.has(address))
    return make(chooseFunctions(sized, { counts, budget, sizes }))
  }

  /** What bodies take is known when they are made: once to see, once as they fit. */
  function within(budget: number) {
    const counts = countsOf(functions, keys)
    const first = make(chooseFunctions(functions, { counts, budget: budget * 2 }))
    const shared = sum(first.code) - sum(first.shares)
    const sizes = new Map(first.shares.map(({ address, bytes }) => [address, bytes]))
    const sized = functions.filter(({ address }) => sizes.has(address))
    return make(chooseFunctions(sized, { counts, budget: budget - shared, sizes }))
  }
}

const sum = (parts: readonly { readonly bytes: number | Uint8Array }[]): number =>
  parts.reduce((total, { bytes }) => total + (typeof bytes === 'number' ? bytes : bytes.length), 0)

/** Those of xen-ts as its training says; those of the program as the average of these, for nothing is known of them. Packages come after both. */
export function countsOf(
  functions: readonly { readonly address: number; readonly bytes: number }[],
  keys: ReadonlyMap<number, FunctionKey | undefined>,
  shares: ReadonlyMap<string, number> = hotShares(),
): Map<number, number> {
  const counts = new Map<number, number>()
  let [hotCount, hotBytes] = [0, 0]
  for (const { address, bytes } of functions) {
    const key = keys.get(address)
    const share = key?.isOwn ? shares.get(keyText(key)) : undefined
    if (share === undefined) continue
    counts.set(address, share)
    hotCount += share
    hotBytes += bytes
  }
  const average = hotBytes === 0 ? 1 : hotCount / hotBytes
  for (const { address, bytes } of functions) {
    const key = keys.get(address)
    if (key === undefined || key.isOwn) continue
    counts.set(address, average * bytes * (key.file.includes('/node_modules/') ? PACKAGE : 1))
  }
  return counts
}

/** How hot functions of packages are, by what is assumed of the program's own. */
const PACKAGE = 0.1
