/** Which web APIs a program uses, and how they get into its image. */
import { fileURLToPath } from 'node:url'
import { webNamesIn, webNamesModule } from '@xen-ts/runtime/web/names'
import { type BuildOptions, build, type OutputFile, type Plugin } from 'esbuild'

/** `import 'xen-ts-web:URL,Headers'` puts these on the global object. */
export function webGlobals(): Plugin {
  return {
    name: 'web-globals',
    setup(build) {
      build.onResolve({ filter: /^xen-ts-web:/ }, args => ({ path: args.path.slice('xen-ts-web:'.length), namespace: 'web' }))
      build.onLoad({ filter: /./, namespace: 'web' }, args => ({
        contents: webNamesModule(args.path.split(',')),
        resolveDir: fileURLToPath(new URL('.', import.meta.url)),
        loader: 'js',
      }))
    },
  }
}

let last: { readonly code: string; readonly names: readonly string[] } | undefined

/** Which web APIs a program uses, by its text: both bundles of a build ask. */
export function webNamesOf(code: string): readonly string[] {
  if (last?.code !== code) last = { code, names: webNamesIn(code) }
  return last.names
}

/** A program and its packages as one ES module, without anything of xen-ts: what it says itself. */
export async function programCode(entry: string, options: BuildOptions): Promise<string> {
  return (await programBundle(entry, { ...options, sourcemap: false })).map(file => file.text).join('\n')
}

/** The same, as files: with `sourcemap: 'external'` a map, and the code. */
export async function programBundle(entry: string, options: BuildOptions): Promise<OutputFile[]> {
  const { outputFiles } = await build({
    ...options,
    format: 'esm',
    // As it is written: the helper of a `for await` that is not would name what streams need.
    supported: { ...options.supported, 'for-await': true },
    stdin: undefined,
    entryPoints: [entry],
    inject: [],
    banner: {},
    metafile: false,
    write: false,
    plugins: [onlyTheProgram, ...(options.plugins ?? [])],
  })
  return outputFiles
}

const onlyTheProgram: Plugin = {
  name: 'only-the-program',
  setup(build) {
    build.onResolve({ filter: /^(xen-ts|@xen-ts\/.+)$/ }, ({ path }) => ({ path, external: true }))
  },
}
