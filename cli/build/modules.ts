/** Modules that an image cannot have: those of Node. esbuild looks for a package of such a name first, and in `browser` maps. */
import { builtinModules } from 'node:module'
import type { Metafile } from 'esbuild'

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

/** What npm has under the same name, and does without Node. */
const onNpm = ['assert', 'events', 'punycode', 'querystring', 'string_decoder', 'util']

const names = new Set(builtinModules)

/** What to say of a module that was not found, and what to use instead, if it is one of Node's. */
export function nodeModule(path: string, target: string): { text: string; hint: string } | undefined {
  const bare = path.replace(/^node:/, '')
  if (bare === path && !names.has(bare)) return undefined
  const hint = Object.hasOwn(instead, bare)
    ? instead[bare]
    : onNpm.includes(path)
      ? `npm has a package of this name that does without Node: npm install ${path}`
      : 'there is no replacement; use a package that does without Node'
  return { text: `${path} does not exist on target ${target}`, hint }
}

/**
 * What `require` is in a bundle, an expression. esbuild leaves a `require` and an `import()` that handle their failure (within try,
 * or with catch) for the time they are reached; `import()` becomes a call of this function as well.
 */
export function absentRequire({ inputs }: Metafile, target: string): string {
  const paths = Object.values(inputs).flatMap(({ imports }) => imports.filter(({ external, path }) => external && path !== '<runtime>'))
  const sentences = [...new Set(paths.map(({ path }) => path))].sort().flatMap(path => {
    const found = nodeModule(path, target)
    return found ? [[path, `${found.text}: ${found.hint}`]] : []
  })
  const other = "name + ' was not installed when the image was built'"
  const text = sentences.length === 0 ? other : `new Map(${JSON.stringify(sentences)}).get(name) ?? ${other}`
  return `name => { throw Object.assign(new Error(${text}), { code: 'MODULE_NOT_FOUND' }) }`
}
