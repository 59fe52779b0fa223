/** Compiles the hot functions of xen-ts itself as programs have them: bodies.json in the kernel's build. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileBodies, engineFolder, functionsOf, writeBodiesFile } from '@xen-ts/boot/engine'
import { snapshotOf } from '../build/build.ts'
import { bundleProgram } from '../build/bundle.ts'
import { findProject } from '../build/project.ts'
import { findTarget } from '../build/targets.ts'
import { hotShares } from './hot.ts'
import { keysOf, keyText } from './keys.ts'

/** Programs that have all of them, between them. */
const programs = [
  ['../../examples/website', 'qubes'],
  ['../../bench/programs/native.ts', 'xen'],
  ['../../bench/programs/native-qubes.ts', 'qubes'],
  ['../../examples/frame-echo', 'xen'],
] as const

const shares = hotShares()
const found = new Map()
for (const [path, target] of programs) {
  const project = findProject(fileURLToPath(new URL(path, import.meta.url)))
  const bundle = await bundleProgram(project, await findTarget(target, project.root))
  const snapshot = await snapshotOf(bundle, project)
  const keyIn = keysOf({ file: `${project.name}.js`, code: bundle.code, map: bundle.map, root: project.root })
  for (const each of functionsOf(snapshot)) {
    const named = keyIn(each)
    if (named?.isOwn && (process.env.ALL || shares.has(keyText(named)))) found.set(each.key, each)
  }
  console.log(path, found.size)
}
const start = performance.now()
const compiled = await compileBodies([...found.values()], engineFolder)
writeFileSync(process.argv[2] ?? join(engineFolder, 'bodies.json'), writeBodiesFile(compiled))
let bytes = 0
for (const [name, { hot, cold }] of compiled.pieces) if (name.startsWith('body_')) bytes += hot.bytes.length + (cold?.bytes.length ?? 0)
console.log(`${compiled.bodies.size} bodies, ${bytes} bytes, ${((performance.now() - start) / 1000).toFixed(1)} s`)
