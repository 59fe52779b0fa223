import { existsSync, readFileSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Loader, Plugin } from 'esbuild'
import { assetModule } from './assets.ts'

const instead: Record<string, string> = {
  fs: "files that belong to the program: assets('./folder') from 'xen-ts'",
  'fs/promises': "files that belong to the program: assets('./folder') from 'xen-ts'",
  http: "serve requests with http() from 'xen-ts', or export default { fetch }",
  https: "serve requests with http() from 'xen-ts'",
  net: "TCP: stack() from 'xen-ts'",
  crypto: 'crypto.getRandomValues is a global',
  buffer: 'Uint8Array, TextEncoder and TextDecoder are globals',
  process: "arguments: arg from 'xen-ts'; the end of the program: return from start()",
  timers: 'setTimeout and setInterval are globals',
  url: 'URL is a global',
  child_process: 'a unikernel has one program and no processes',
  worker_threads: 'a unikernel has one program and no threads',
}

/** Modules of Node do not exist in a unikernel: say so at the import, and what to use instead. */
export function noNodeModules(target: string): Plugin {
  const names = new Set(builtinModules)
  return {
    name: 'no-node-modules',
    setup(build) {
      build.onResolve({ filter: /^(node:)?[a-z_0-9/]+$/ }, args => {
        const bare = args.path.replace(/^node:/, '')
        if (args.kind === 'entry-point' || (!args.path.startsWith('node:') && !names.has(bare))) return undefined
        const hint = instead[bare] ?? 'there is no replacement; use a package that does without Node'
        return { errors: [{ text: `${args.path} does not exist on target ${target}`, notes: [{ text: hint }] }] }
      })
    },
  }
}

/** `xen-ts` and `@xen-ts/*` are always this tool's own copies: one runtime in an image, whatever a project has installed. */
export function ownPackages(): Plugin {
  const ours = {}
  return {
    name: 'own-packages',
    setup(build) {
      build.onResolve({ filter: /^(xen-ts|@xen-ts\/.+)$/ }, async ({ path, kind, pluginData }) => {
        if (pluginData === ours) return undefined
        // By esbuild's own resolver, so that a module is the same however it is reached: what package.json says of side effects counts.
        const found = await build.resolve(path, { kind, resolveDir: fileURLToPath(new URL('..', import.meta.url)), pluginData: ours })
        if (found.errors.length > 0)
          return {
            errors: [
              {
                text: `there is no module ${path}`,
                notes: [{ text: "programs import from 'xen-ts', '@xen-ts/drivers' and '@xen-ts/qubes'" }],
              },
            ],
          }
        return { path: found.path, sideEffects: found.sideEffects }
      })
    },
  }
}

/** Comments and strings are consumed before a call is looked for, so that one inside them is left alone. */
const assetsCall =
  /\/\/[^\n]*|\/\*[^]*?\*\/|\bassets\(\s*(['"])([^'"\n]+)\1\s*\)|`(?:\\[^]|[^`\\])*`|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g
const ownSources = fileURLToPath(new URL('../', import.meta.resolve('@xen-ts/runtime')))
const ownFolders = ['runtime', 'drivers', 'stack', 'qubes', 'targets', 'cli'].map(folder => `${ownSources}${folder}/`)

/**
 * `assets('./folder')` with a literal path becomes `assets(files)` with the folder's files as a module, which the generated
 * main.ts also imports at build time, so that their bytes are part of the snapshot.
 * @param onFolder called with the absolute path of each folder found
 */
export function assetFolders(onFolder: (folder: string) => void): Plugin {
  return {
    name: 'asset-folders',
    setup(build) {
      build.onResolve({ filter: /^xen-ts-assets:/ }, args => ({ path: args.path.slice('xen-ts-assets:'.length), namespace: 'assets' }))
      build.onLoad({ filter: /./, namespace: 'assets' }, args => assetModule(args.path))
      build.onLoad({ filter: /\.(m?[tj]s|[tj]sx)$/ }, args => {
        const source = readFileSync(args.path, 'utf8')
        if (
          args.path.includes('/node_modules/') ||
          ownFolders.some(folder => args.path.startsWith(folder)) ||
          !source.includes('assets(') ||
          !/from\s*['"]xen-ts['"]/.test(source)
        )
          return undefined
        const folders: string[] = []
        let failure: { text: string; at: number; length: number } | undefined
        const contents = source.replace(assetsCall, (call, _quote, path, at) => {
          if (path === undefined) return call
          const folder = resolve(dirname(args.path), path)
          if (!existsSync(folder) || !statSync(folder).isDirectory()) {
            failure ??= { text: `assets: there is no folder ${path}`, at, length: call.length }
            return call
          }
          onFolder(folder)
          folders.push(folder)
          return `assets(__assets${folders.indexOf(folder)})`
        })
        if (failure)
          return {
            errors: [
              {
                text: failure.text,
                location: locate(args.path, source, failure.at, failure.length),
                notes: [{ text: 'the path is relative to the file that calls assets' }],
              },
            ],
          }
        if (folders.length === 0) return undefined
        // On one line after the source, so that its line numbers stay (imports are hoisted).
        const imports = folders.map((folder, i) => `import __assets${i} from ${JSON.stringify(`xen-ts-assets:${folder}`)}`).join(';')
        return { contents: `${contents}\n;${imports}`, loader: loaderOf(args.path) }
      })
    },
  }
}

function loaderOf(path: string): Loader {
  return path.endsWith('x') ? (path.endsWith('.tsx') ? 'tsx' : 'jsx') : /\.m?ts$/.test(path) ? 'ts' : 'js'
}

function locate(file: string, source: string, at: number, length: number) {
  const before = source.slice(0, at).split('\n')
  return { file, line: before.length, column: before.at(-1)!.length, length, lineText: source.split('\n')[before.length - 1] }
}
