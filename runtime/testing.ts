/** For tests: bundles a program as the tool does, and runs it in the guest's engine under Node. */

import { fileURLToPath } from 'node:url'
import { builtData, runInEngine } from '@xen-ts/boot/testing'
import { build } from 'esbuild'

export interface EngineRun {
  /** What shutdown was called with. */
  readonly reason: number
  readonly output: string
}

const own = (path: string) => JSON.stringify(fileURLToPath(import.meta.resolve(path)))

/** @param app URL of the program's module; @param target module with a target, by URL; without it one that provides nothing */
export async function runProgram(
  app: string,
  { commandLine = '', target = import.meta.resolve('./fixtures/no-target.ts') }: { commandLine?: string; target?: string } = {},
): Promise<EngineRun> {
  const main = `import ${own('./web/all.ts')}
import { boot } from ${own('./guest.ts')}
import { target, connect } from ${JSON.stringify(fileURLToPath(target))}
boot({ target, connect, name: 'app', program: () => import(${JSON.stringify(fileURLToPath(app))}) })`
  const { outputFiles } = await build({
    stdin: { contents: main, resolveDir: fileURLToPath(import.meta.resolve('.')), sourcefile: '<main>', loader: 'ts' },
    bundle: true,
    write: false,
    outfile: 'app.js',
    format: 'iife',
    platform: 'neutral',
    target: 'es2024',
    supported: { 'for-await': false },
    charset: 'utf8',
    minifySyntax: true,
    logLevel: 'silent',
    inject: [fileURLToPath(import.meta.resolve('./web/inject.ts'))],
    plugins: [builtData()],
  })
  let output = ''
  const reason = await runInEngine({
    bundle: outputFiles[0].text,
    filename: 'app.js',
    commandLine,
    wallStart: Date.UTC(2026, 10, 22, 18, 29, 54, 123),
    output: text => {
      output += text
    },
  })
  return { reason, output }
}
