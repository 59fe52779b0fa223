/** Which part of the engine, or the kernel, a function of the counting program belongs to. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { engineFolder } from '@xen-ts/boot/engine'
import type { Profile } from './callgrind.ts'

/**
 * Functions of engine.c have the numbers of the .wasm, or the letters of its exports. These were found by what they do and whom they call, in the
 * version that names.ts pins; what is not known is `other`. QuickJS's own names beside them.
 */
const known: Readonly<Record<string, readonly string[]>> = {
  // js_malloc, js_malloc_rt
  'malloc, free': ['malloc', 'free', 'f39', 'f63'],
  // JS_NewObjectFromShape, JS_NewObjectProtoClass, add_property, shapes, free_object, __JS_FreeValueRT, JS_FreeValue
  'objects made and freed': ['f254', 'f105', 'f126', 'f137', 'f711', 'f284', 'f767', 'f463', 'f19', 'f432'],
  // JS_GetPropertyInternal, JS_GetPropertyValue, JS_DefineProperty, JS_CreateProperty, JS_SetPropertyInternal, private fields
  properties: ['f24', 'f80', 'f120', 'f725', 'f248', 'f751', 'f179'],
  // js_poll_interrupts, JS_CallConstructorInternal
  'interrupts, new': ['f127', 'f536'],
  // lre_exec_backtrack
  regexp: ['f618'],
}

export const layerTitles = ["interpreter's loop", ...Object.keys(known), 'kernel', 'other']

/** The interpreter of the bytecode: of the two loops over opcodes the one with more text. */
export async function loopOf(): Promise<string> {
  const source = await readFile(join(engineFolder, 'engine.c'), 'utf8')
  const loops = [...source.matchAll(/^(?:static )?\w+ (w2c_\w+)\([^;{]*\) \{\n((?:(?!^\}).*\n)*?.*opcode_labels\[256\](?:.*\n)*?)^\}/gm)]
  const [longest] = loops.sort(([, , a], [, , b]) => b!.length - a!.length)
  if (longest === undefined) throw new Error('engine.c has no interpreter')
  return longest[1]!
}

/** Of each function its layer, an index in layerTitles. */
export async function layersOf(loop: string): Promise<(name: string) => number> {
  const { exports }: { exports: Record<string, string> } = JSON.parse(await readFile(join(engineFolder, 'names.json'), 'utf8'))
  const groups = Object.values(known).map(names => new Set(names.map(name => `w2c_${exports[name] ?? name}`)))
  return name => {
    if (name === loop) return 0
    const group = groups.findIndex(names => names.has(name))
    if (group >= 0) return group + 1
    // What is not the engine's: kernel.c, native.c, and Linux's memcpy.
    return name.startsWith('w2c_') || name.startsWith('engine_') ? layerTitles.length - 1 : layerTitles.length - 2
  }
}

/** Sums in the order of layerTitles. */
export function sumLayers({ byFunction }: Profile, layerOf: (name: string) => number): number[] {
  const costs = layerTitles.map(() => 0)
  for (const [name, cost] of byFunction) costs[layerOf(name)]! += cost
  return costs
}
