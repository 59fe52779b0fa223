/** For tests: programs in folders of their own, bundled as the tool does and run in the guest's engine from a snapshot. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeSnapshot } from '@xen-ts/boot'
import { hostAbi, restoreSnapshot, runLoop, writeSnapshot } from '@xen-ts/boot/testing'
import type { ExecutionContext } from 'ava'
import { target } from './fixtures/target.ts'
import { bundleProgram } from './image-bundle.ts'
import { findProject } from './project.ts'

/** A folder with these files, gone after the test. */
export function folderOf(t: ExecutionContext, files: Record<string, string | Uint8Array>): string {
  const root = mkdtempSync(join(tmpdir(), 'xen-ts-build-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
  }
  return root
}

/** The program in a folder's app.ts (or what its package.json names), bundled for a target that provides nothing. */
export function bundleFolder(root: string) {
  const project = findProject(root)
  const module = fileURLToPath(new URL('fixtures/target.ts', import.meta.url))
  return bundleProgram(project, { name: 'test', becomes: 'image', module, elsewhere: {}, target })
}

/** Boots what bundleFolder made, to its end. Gives all that it wrote. */
export async function runFolder(root: string): Promise<string> {
  return (await buildFolder(root)).output
}

/** The same, with the warnings of the build. */
export async function buildFolder(root: string): Promise<{ output: string; warnings: string[] }> {
  const bundle = await bundleFolder(root)
  const { code, bytes } = bundle
  let output = ''
  const write = (text: string) => {
    output += text
  }
  const snapshot = await makeSnapshot({ bundle: code, bytes, filename: 'app.js', program: 'app', output: write })
  const segment = writeSnapshot(snapshot, { buildId: '0123456789abcdef', version: '0.1.0' })
  const { engine, hooks } = await restoreSnapshot(segment, 1n, engine => hostAbi(engine, { output: write }))
  runLoop(engine, hooks)
  return { output, warnings: [...bundle.warnings, ...bundle.globalWarnings(snapshot.globals)] }
}

/** A program that does this and ends. `say` writes a line. */
export const program = (body: string, head = '') =>
  `import { unikernel } from 'xen-ts'\n${head}\nexport default unikernel({ name: 'app', async start({ log }) { const say = (text: unknown) => log.info(String(text))\n${body}\n} })\n`
