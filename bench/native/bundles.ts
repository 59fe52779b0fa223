/** The two scripts of a run: the peers, and a program as the tool bundles it for an image. */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { bundleProgram, findProject, findTarget } from 'xen-ts/tool'
import { engineBundle } from '../engine-bundle.ts'

/** @param name of a file of bench/native */
export async function peerBundle(name: string): Promise<string> {
  const { outputFiles } = await build({
    ...engineBundle,
    entryPoints: [fileURLToPath(new URL(`${name}.ts`, import.meta.url))],
    inject: [fileURLToPath(import.meta.resolve('@xen-ts/drivers/sim/engine-setup'))],
  })
  return outputFiles[0]!.text
}

/** @param program a file of bench/programs */
export async function programBundle(program: string, target: string): Promise<{ code: string; map: string; root: string }> {
  const project = findProject(fileURLToPath(new URL(`../programs/${program}`, import.meta.url)))
  const { code, map } = await bundleProgram(project, await findTarget(target, project.root))
  return { code, map, root: project.root }
}
