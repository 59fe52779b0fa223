/** Runs a file of cases (cases.ts) twice: in Node, and in the guest's engine. What passes only on V8 does not count. */
import { SourceMap } from 'node:module'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestFn } from 'ava'
import { build } from 'esbuild'
import { assert, type Cases } from './cases.ts'
import { reportMark, type CaseReport } from './cases-guest.ts'
import { runInEngine, type RunOptions } from './run.ts'

export interface SuiteOptions extends Pick<RunOptions, 'abi' | 'commandLine' | 'wallStart'> {
  /** Files whose exports stand in for missing globals of the engine (esbuild's inject). */
  readonly inject?: readonly string[]
}

/**
 * Registers two ava tests for each case. To be awaited at the top of a test file:
 * `await suite(test, import.meta.resolve('./segment.cases.ts'))`
 * @param file URL of a module whose default export is cases({ ... })
 */
export async function suite(test: TestFn, file: string, options: SuiteOptions = {}): Promise<void> {
  const all = (await import(file)).default as Cases
  const results = engineCases(file, options)
  results.catch(() => {}) // each test reports it
  for (const [name, run] of Object.entries(all)) {
    test(`${name} (Node)`, async t => {
      await run(assert)
      t.pass()
    })
    test(`${name} (engine)`, async t => {
      const failure = (await results).get(name)
      if (failure) throw failure
      t.pass()
    })
  }
}

/** Runs the cases of a file in the guest's engine: name to what failed, or undefined for a case that passed. */
export async function engineCases(file: string, options: SuiteOptions = {}): Promise<Map<string, Error | undefined>> {
  const path = fileURLToPath(file)
  const { code, map } = await bundleCases(path, options.inject ?? [])
  const names = Object.keys((await import(file)).default)
  const results = new Map<string, Error | undefined>()
  let stopped: unknown
  const output = (text: string) => {
    if (!text.startsWith(reportMark)) {
      process.stdout.write(text)
      return
    }
    const { name, failure }: CaseReport = JSON.parse(text.slice(reportMark.length))
    results.set(name, failure && asError(failure, map))
  }
  try {
    await runInEngine({ ...options, bundle: code, filename: bundleName, output })
  } catch (error) {
    stopped = error
  }
  for (const name of names)
    if (!results.has(name)) results.set(name, new Error(`the case did not run: the engine stopped before (${stopped})`, { cause: stopped }))
  return results
}

const bundleName = 'cases.js'

async function bundleCases(path: string, inject: readonly string[]): Promise<{ code: string, map: SourceMap }> {
  const guest = fileURLToPath(import.meta.resolve('./cases-guest.ts'))
  const result = await build({
    stdin: {
      contents: `import { serveCases } from ${JSON.stringify(guest)}\nimport cases from ${JSON.stringify(path)}\nserveCases(cases)`,
      resolveDir: '/', sourcefile: 'main.ts', loader: 'ts',
    },
    bundle: true, write: false, outfile: bundleName, format: 'iife', platform: 'neutral', target: 'es2024', mainFields: ['module', 'main'],
    conditions: ['worker', 'import'], charset: 'utf8', sourcemap: 'external', logLevel: 'silent', inject: [...inject],
  })
  const text = (ending: string) => result.outputFiles.find(output => output.path.endsWith(ending))!.text
  return { code: text('.js'), map: new SourceMap(JSON.parse(text('.map'))) }
}

/** The failure as an error with positions in TypeScript. */
function asError({ name, message, stack }: NonNullable<CaseReport['failure']>, map: SourceMap): Error {
  const error = new Error(message)
  error.name = name
  const lines = stack.replace(/cases\.js:(\d+):(\d+)/g, (position, line, column) => {
    const entry = map.findEntry(Number(line) - 1, Number(column) - 1)
    return 'originalSource' in entry ? `${relative(process.cwd(), entry.originalSource)}:${entry.originalLine + 1}:${entry.originalColumn + 1}` : position
  })
  error.stack = `${name}: ${message}\n${lines}`
  return error
}
