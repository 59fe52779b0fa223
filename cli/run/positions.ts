import { existsSync, readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'

/** Rewrites the positions in console lines, `name.js:LINE:COLUMN`, to the TypeScript they came from. */
export type Rewrite = (line: string) => string

/**
 * Reads the source map beside an image. Without one the lines stay as they are.
 * @param image path of the `.xen`
 * @param buildId of the image; a map of another build is not used. Not given: any is
 */
export function positionRewriter(image: string, buildId?: string): { rewrite: Rewrite; note: string | undefined } {
  const path = `${image}.map`
  const without = (why: string) => ({ rewrite: (line: string) => line, note: `${why}: positions in stack traces are those of the bundle` })
  if (!existsSync(path)) return without(`no ${path}`)
  try {
    const json = JSON.parse(readFileSync(path, 'utf8'))
    if (buildId !== undefined && json.x_build !== buildId) return without(`${path} belongs to another build`)
    return { rewrite: rewriterFor(new TraceMap(json), json.file, resolve(path, '..')), note: undefined }
  } catch (error) {
    return without(`${path} cannot be read, ${(error as Error).message}`)
  }
}

export function rewriterFor(map: TraceMap, bundleName: string, folder: string): Rewrite {
  const position = new RegExp(`${bundleName.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}:(\\d+)(?::(\\d+))?`, 'g')
  return line =>
    line.replace(position, (text, lineNumber, column) => {
      // The engine counts columns from 1, the map from 0.
      const found = originalPositionFor(map, { line: Number(lineNumber), column: column ? Number(column) - 1 : 0 })
      if (!found.source || found.line === null) return text
      const file = relative(process.cwd(), resolve(folder, found.source))
      return column ? `${file}:${found.line}:${found.column! + 1}` : `${file}:${found.line}`
    })
}
