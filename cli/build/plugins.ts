import { fileURLToPath } from 'node:url'
import type { Plugin } from 'esbuild'
import { OWN } from './unresolved.ts'

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
                notes: [{ text: OWN }],
              },
            ],
          }
        return { path: found.path, sideEffects: found.sideEffects }
      })
    },
  }
}
