/**
 * Runs a script in the engine as a Linux program, with its functions as machine code or without: to compare the two. The
 * script becomes the body of a function, which is compiled under Node and put into a snapshot of memory.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeBodies } from '../image/bodies.ts'
import { linkCode } from '../image/code.ts'
import { readElf } from '../image/elf.ts'
import type { Snapshot } from '../image/format.ts'
import { findBytecode } from '../image/functions.ts'
import { addressesOf, readSymbols } from '../image/sections.ts'
import { createEngine } from '../node/create.ts'
import { compileBodies } from './ahead/compile.ts'
import type { CompiledBodies } from './ahead/file.ts'
import { functionsOf } from './ahead/functions.ts'
import { engineFolder } from './build.ts'
import { readStencilFile } from './stencils/file.ts'

/** What functions become: joined from stencils, compiled, or neither. */
export type BodyKind = 'all' | 'compiled' | 'none'

export interface NativeOptions extends NativeRun {
  /** Of all functions, or of each, by its number in the snapshot. */
  readonly bodies: BodyKind | ((index: number) => BodyKind)
  /** With `compiled`: what was compiled before (compileScripts). */
  readonly ready?: CompiledBodies
  /** Folder of the engine's build. */
  readonly folder?: string
}

export interface NativeRun {
  /** What goes before the program's name, such as ['valgrind', '--tool=callgrind']. */
  readonly prefix?: readonly string[]
  readonly seconds?: number
  /** Bytes that the engine may allocate beyond what it has, for its allocations to fail. Default: all there are. */
  readonly room?: number
  /** Tells at the end how many allocations are left. */
  readonly live?: boolean
}

export interface NativeResult {
  readonly stdout: string
  readonly stderr: string
  readonly status: number | null
  /** Signal that ended it, such as SIGSEGV. */
  readonly signal: string | null
  /** Functions in the snapshot, and bytes of code that was made of them. */
  readonly functions: number
  readonly bytes: number
}

/** boot/engine/host.c */
const hostCode = 0x8000000n
const hostFunctions = ['print', 'now', 'add', 'checksum']
const jsStackLimit = 64 << 10
const pageSize = 4096

export async function runNative(script: string, options: NativeOptions): Promise<NativeResult> {
  const { run, dispose } = await prepareNative(script, options)
  try {
    return run(options)
  } finally {
    dispose()
  }
}

/** A script that can be run more than once. */
export async function prepareNative(
  script: string,
  { bodies, ready, folder = engineFolder }: NativeOptions,
): Promise<{ run(options?: NativeRun): NativeResult; dispose(): void }> {
  const snapshot = await snapshotOf(script)
  const functions = findBytecode(snapshot)
  const kinds = new Map(functions.map(({ address }, i) => [address, typeof bodies === 'string' ? bodies : bodies(i)]))
  const ofKind = (kind: BodyKind) => functionsOf(snapshot).filter(({ address }) => kinds.get(address) === kind)
  const compiled = [...kinds.values()].includes('compiled')
    ? without(ready ?? (await compileBodies(ofKind('compiled'), folder)), ofKind('all'))
    : undefined
  const chosen = new Set(functions.map(({ address }) => address).filter(address => kinds.get(address) !== 'none'))
  const made = makeBodies(snapshot, readStencilFile(readFileSync(join(folder, 'stencils.json'), 'utf8')), chosen, compiled)
  const host = join(folder, 'host')
  const symbols = addressesOf(readSymbols(readElf(readFileSync(host), 'the host').sections))
  const code = made.code.length > 0 ? linkCode(made.code, hostCode, symbols) : new Uint8Array()
  const work = mkdtempSync(join(tmpdir(), 'xen-ts-native-'))
  const memory = new Uint8Array(snapshot.memoryPages * 65536)
  for (const { number, content } of made.snapshot.pages) memory.set(content, number * pageSize)
  writeFileSync(join(work, 'code'), code)
  const { stackPointer, memoryPages, runtime, context, turn } = snapshot
  const where = ['--run', [stackPointer, memoryPages, runtime, context, turn].join()]
  const args = [join(work, 'memory'), ...(code.length > 0 ? ['--code', join(work, 'code')] : []), ...where]
  let written: number | undefined = -1
  return {
    run({ prefix = [], seconds = 60, room, live }: NativeRun = {}) {
      if (written !== room) writeFileSync(join(work, 'memory'), limited(memory, runtime, room))
      written = room
      const [program, ...rest] = [...prefix, host, ...args, ...(live ? ['--live', `${mallocState.count}`] : [])]
      const { stdout, stderr, status, signal } = spawnSync(program, rest, { encoding: 'utf8', timeout: seconds * 1000, maxBuffer: 1 << 28 })
      return { stdout, stderr, status, signal, functions: functions.length, bytes: code.length }
    },
    dispose: () => rmSync(work, { recursive: true }),
  }
}

/** Compiles the functions of many scripts at once: those that are the same only once, and gcc starts less often. */
export async function compileScripts(scripts: readonly string[], folder = engineFolder): Promise<CompiledBodies> {
  const functions = []
  for (const script of scripts) {
    // Not every script can be parsed.
    const snapshot = await snapshotOf(script).catch(() => undefined)
    if (snapshot) functions.push(...functionsOf(snapshot))
  }
  return compileBodies(functions, folder)
}

/** In JSRuntime, JSMallocState: allocations, bytes in use, and how many there may be. QTS_RuntimeSetMemoryLimit sets the third. */
const mallocState = { count: 16, used: 20, limit: 24 }

/** Those functions are to have other bodies. */
const without = (compiled: CompiledBodies, others: readonly { readonly key: string }[]): CompiledBodies => {
  const keys = new Set(others.map(({ key }) => key))
  return { ...compiled, bodies: new Map([...compiled.bodies].filter(([key]) => !keys.has(key))) }
}

function limited(memory: Uint8Array, runtime: number, room: number | undefined): Uint8Array {
  if (room === undefined) return memory
  const copy = memory.slice()
  const view = new DataView(copy.buffer)
  view.setUint32(runtime + mallocState.limit, view.getUint32(runtime + mallocState.used, true) + room, true)
  return copy
}

type EngineSnapshot = Pick<Snapshot, 'pages' | 'memoryPages' | 'runtime' | 'context' | 'turn' | 'stackPointer'> & Snapshot

async function snapshotOf(script: string): Promise<EngineSnapshot> {
  const engine = await createEngine({ jsStackLimit, clock: () => 0 })
  engine.memory.u32[(engine.runtime + engine.layout.rejectionTracker) >>> 2] = 0 // nobody is told of rejections
  const global = engine.global()
  for (const [id, name] of hostFunctions.entries()) engine.set(global, name, engine.function(name, id))
  engine.free(global)
  const turn = engine.eval(`(function () {${script}\n})`, 'script.js')
  const memory = engine.memory.u8
  const pages = []
  for (let number = 0; number * pageSize < memory.length; number++) {
    const content = memory.slice(number * pageSize, (number + 1) * pageSize)
    if (content.some(byte => byte !== 0)) pages.push({ number, content })
  }
  return {
    pages,
    memoryPages: memory.length / 65536,
    runtime: engine.runtime,
    context: engine.context,
    turn,
    stackPointer: engine.exports.stackSave(),
  } as unknown as EngineSnapshot
}
