import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'

/** The environment for threads and processes of ours: where this one keeps what it has compiled, they do, too, which does not pass on by itself. */
export function withCompileCache(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir()
  // What is told is a folder for this version of Node, in the one that was given.
  return folder === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(folder) }
}
