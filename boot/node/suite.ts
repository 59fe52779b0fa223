/**
 * Runs tests in the guest's engine, since what passes only on V8 does not count: a file of cases (cases.ts) in both, or a test file of
 * ava once more.
 */
import { SourceMap } from 'node:module'
import { relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { TestFn } from 'ava'
import { build, type Plugin } from 'esbuild'
import { type CaseReport, reportMark } from './case-report.ts'
import { assert, type Cases } from './cases.ts'
import type { GuestError } from './errors.ts'
import { type RunOptions, runInEngine } from './run.ts'

export interface SuiteOptions extends Pick<RunOptions, 'commandLine' | 'wallStart'> {
  /** Files that are evaluated before the tests: what puts globals in place. */
  readonly setup?: readonly string[]
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

/**
 * Registers the tests of files that are written for ava once more, run in the guest's engine. To be awaited at the top of a test file,
 * once, and before any other test is declared: `await engineTests(test, import.meta.url, ['./segment.test.ts', './window.test.ts'])`
 * @param base what the files are relative to
 * @param files test files; they and what they import must do without Node
 */
export async function engineTests(test: TestFn, base: string, files: readonly string[], options: SuiteOptions = {}): Promise<void> {
  const ran = []
  for (const file of files) ran.push({ file, ...(await runTestFile(new URL(file, base).href, options)) })
  // ava wants all declarations in one go, without a wait in between.
  for (const { file, results, stopped } of ran) {
    const name = file.replace(/^\.\//, '').replace(/\.test\.ts$/, '')
    for (const [title, failure] of results) {
      test(`${name}: ${title} (engine)`, t => {
        if (failure) throw failure
        t.pass()
      })
    }
    test(`${name}: runs to its end (engine)`, t => {
      if (stopped !== undefined) throw stopped
      t.true(results.size > 0, 'it has no tests')
    })
  }
}

/** Runs a test file that is written for ava in the guest's engine. */
export function runTestFile(file: string, options: SuiteOptions = {}): Promise<Results> {
  const ava = fileURLToPath(import.meta.resolve('./ava-guest.ts'))
  const contents = `import ${JSON.stringify(fileURLToPath(file))}\nimport { collected } from ${JSON.stringify(ava)}\nserveCases(collected)`
  return runCases(contents, options, { ava })
}

/** Runs the cases of a file in the guest's engine: name to what failed, or undefined for a case that passed. */
export async function engineCases(file: string, options: SuiteOptions = {}): Promise<Map<string, Error | undefined>> {
  const contents = `import cases from ${JSON.stringify(fileURLToPath(file))}\nserveCases(cases)`
  const { results, stopped } = await runCases(contents, options)
  for (const name of Object.keys((await import(file)).default))
    if (!results.has(name)) results.set(name, new Error(`the case did not run: the engine stopped before (${stopped})`, { cause: stopped }))
  return results
}

export interface Results {
  /** Name to what failed, or undefined. */
  readonly results: Map<string, Error | undefined>
  /** What ended the run before its time. */
  readonly stopped?: unknown
}

/** Bundles a main module that calls serveCases, and runs it. */
async function runCases(contents: string, options: SuiteOptions, alias: Record<string, string> = {}): Promise<Results> {
  const { code, map } = await bundleCases(contents, options, alias)
  const results = new Map<string, Error | undefined>()
  const output = (text: string) => {
    if (!text.startsWith(reportMark)) {
      process.stdout.write(text)
      return
    }
    const { name, failure }: CaseReport = JSON.parse(text.slice(reportMark.length))
    results.set(name, failure && asError(failure, map))
  }
  try {
    const { commandLine, wallStart } = options
    await runInEngine({ commandLine, wallStart, bundle: code, filename: bundleName, output })
    return { results }
  } catch (error) {
    const { name, message, guestStack } = error as GuestError
    return { results, stopped: guestStack === undefined ? error : asError({ name, message, stack: guestStack }, map) }
  }
}

const bundleName = 'cases.js'

async function bundleCases(contents: string, { setup = [], inject = [] }: SuiteOptions, alias: Record<string, string>) {
  const guest = fileURLToPath(import.meta.resolve('./cases-guest.ts'))
  const first = [`import { serveCases } from ${JSON.stringify(guest)}`, ...setup.map(file => `import ${JSON.stringify(file)}`)]
  const result = await build({
    stdin: {
      contents: [...first, contents].join('\n'),
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
      sourcefile: '<main>',
      loader: 'ts',
    },
    bundle: true,
    write: false,
    outfile: bundleName,
    format: 'iife',
    platform: 'neutral',
    target: 'es2024',
    supported: { 'for-await': false },
    mainFields: ['module', 'main'],
    conditions: ['worker', 'import'],
    charset: 'utf8',
    sourcemap: 'external',
    logLevel: 'silent',
    banner: { js: `"use strict";globalThis.XEN_TS_FUZZ_SEED = ${JSON.stringify(process.env.XEN_TS_FUZZ_SEED ?? '')};` }, // see fuzz.ts
    inject: [...inject],
    plugins: [builtData()],
    alias,
    ignoreAnnotations: true, // "sideEffects": false would drop a test file, of which nothing is imported
  })
  const text = (ending: string) => result.outputFiles.find(output => output.path.endsWith(ending))!.text
  return { code: text('.js'), map: new SourceMap(JSON.parse(text('.map'))) }
}

/** Modules called NAME.build.ts run in Node here as well, and a bundle has what they export: as the tool does it, for those of ours. */
export function builtData(): Plugin {
  return {
    name: 'built-data',
    setup(build) {
      build.onLoad({ filter: /\.build\.ts$/ }, async ({ path }) => {
        const exports: Record<string, unknown> = await import(pathToFileURL(path).href)
        const lines = Object.entries(exports).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)}`)
        return { contents: lines.join('\n'), loader: 'js' }
      })
    },
  }
}

/** The failure as an error with positions in TypeScript. */
function asError({ name, message, stack }: NonNullable<CaseReport['failure']>, map: SourceMap): Error {
  const error = new Error(message)
  error.name = name
  const lines = stack.replace(/cases\.js:(\d+):(\d+)/g, (position, line, column) => {
    const entry = map.findEntry(Number(line) - 1, Number(column) - 1)
    if (!('originalSource' in entry)) return position
    return `${relative(process.cwd(), entry.originalSource)}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
  })
  error.stack = `${name}: ${message}\n${lines}`
  return error
}
