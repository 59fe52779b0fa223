import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildFailure, build, type Message, type Metafile } from 'esbuild'
import { CliError, caret } from '../errors.ts'
import { assetFolders, noNodeModules, ownPackages } from './plugins.ts'
import type { Project } from './project.ts'
import type { ImageTarget } from './targets.ts'

export interface Bundle {
  /** A classic script, one file: runtime, drivers, stack, target and (not yet run) the program. */
  readonly code: string
  /** Source map, JSON; its sources are relative to the project's root. */
  readonly map: string
  readonly metafile: Metafile
  readonly warnings: readonly string[]
}

const own = (module: string) => fileURLToPath(import.meta.resolve(module))

/**
 * Bundles a program for a target. What the generated main module imports statically is evaluated at build time; the program
 * itself is imported dynamically, which makes esbuild wrap it in a function that runs at boot.
 */
export async function bundleProgram(project: Project, target: ImageTarget): Promise<Bundle> {
  const folders = new Set<string>()
  const first = await bundle(project, target, folder => folders.add(folder), [])
  // Asset folders are known only after the first pass; a program without any is done.
  return folders.size === 0 ? first : bundle(project, target, () => {}, [...folders].sort())
}

/** The module that ties target and program together; also what `xen-ts configure` shows. */
export function mainModule(project: Project, target: ImageTarget, assets: readonly string[]): string {
  const { name, version } = project
  const options = Object.entries({ name, version, elsewhere: target.elsewhere }).map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
  return [
    `import { boot } from ${JSON.stringify(own('@xen-ts/runtime/guest'))}`,
    `import { target, connect } from ${JSON.stringify(target.module)}`,
    ...assets.map(folder => `import ${JSON.stringify(`xen-ts-assets:${folder}`)}`),
    `boot({ target, connect, ${options.join(', ')}, program: () => import(${JSON.stringify(project.entry)}) })`,
  ].join('\n')
}

async function bundle(
  project: Project,
  target: ImageTarget,
  onFolder: (folder: string) => void,
  assets: readonly string[],
): Promise<Bundle> {
  try {
    const result = await build({
      stdin: { contents: mainModule(project, target, assets), resolveDir: project.root, sourcefile: 'main.ts', loader: 'ts' },
      bundle: true,
      write: false,
      outfile: `${project.name}.js`,
      format: 'iife',
      platform: 'neutral',
      target: 'es2024',
      mainFields: ['module', 'main'],
      conditions: ['worker', 'import'],
      charset: 'utf8',
      legalComments: 'none',
      minifySyntax: true,
      sourcemap: 'external',
      metafile: true,
      logLevel: 'silent',
      // Paths become names of functions: relative to the project, so that they do not depend on where the tool is started.
      absWorkingDir: project.root,
      define: { 'process.env.NODE_ENV': '"production"' },
      inject: [own('@xen-ts/runtime/web/inject')],
      plugins: [noNodeModules(target.name), ownPackages(), assetFolders(onFolder)],
    })
    const text = (ending: string) => result.outputFiles.find(file => file.path.endsWith(ending))!.text
    return {
      code: text('.js'),
      map: text('.map'),
      metafile: result.metafile,
      warnings: result.warnings.map(warning => showMessage(warning, project.root)),
    }
  } catch (error) {
    throw (error as BuildFailure).errors ? bundleError((error as BuildFailure).errors, project.root) : error
  }
}

/** The first error as the message, all of them as the place. */
export function bundleError(errors: readonly Message[], root: string): CliError {
  const [first, ...more] = errors
  // Notes of our own plugins say what to do; esbuild's are about its own options.
  const hint = hintFor(first.text) ?? (first.pluginName ? first.notes[0]?.text : undefined)
  const rest = more
    .slice(0, 4)
    .map(message => `\n${showMessage(message, root)}`)
    .join('')
  return new CliError(first.text, place(first, root) + rest, hint)
}

function showMessage(message: Message, root: string): string {
  return `${message.text}\n${place(message, root)}`
}

function place({ location }: Message, root: string): string {
  if (!location) return ''
  const file = relative(process.cwd(), resolve(root, location.file))
  return caret({ file, line: location.line, column: location.column, lineText: location.lineText, length: location.length })
}

function hintFor(text: string): string | undefined {
  if (text.startsWith('Could not resolve')) return 'is it installed, and is the path right? (npm install NAME)'
  if (text.includes('Top-level await')) return 'await inside start() instead: the top level of a program runs to its end'
  return undefined
}
