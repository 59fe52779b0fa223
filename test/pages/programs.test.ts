/**
 * The TypeScript of README and docs/ is what it looks like: each ```ts block is a module, its first line may name its file (`// app.ts`). All
 * of a page stand in one folder, with a folder of files; they are type-checked, and each that exports a program is built.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { blocksOf, fileName } from './blocks.ts'
import { pages, root } from './list.ts'

const tool = fileURLToPath(import.meta.resolve('xen-ts/bin'))

interface Output {
  readonly code: number
  readonly text: string
}

const run = (args: readonly string[], cwd: string): Promise<Output> =>
  new Promise(resolve =>
    execFile(process.execPath, args, { cwd }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), text: stdout + stderr }),
    ),
  )

/** A folder with the modules of a page, within the repository: its packages are found from there. */
function folderOf(t: ExecutionContext, page: string, text: string): { folder: string; programs: string[] } {
  mkdirSync(join(root, '.cache'), { recursive: true })
  const folder = mkdtempSync(join(root, `.cache/page-${basename(page, '.md')}-`))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const programs: string[] = []
  const put = (name: string, content: string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  put('public/index.html', '<!DOCTYPE html>')
  put('posts/first.md', '# First\n')
  put('package.json', JSON.stringify({ name: 'page', type: 'module', dependencies: { hono: '*' } }))
  put('tsconfig.json', JSON.stringify({ extends: '../../tsconfig.json', include: ['**/*.ts', '**/*.tsx'] }))
  const names = new Set<string>()
  for (const block of blocksOf(text).filter(({ language }) => /^tsx?$/.test(language))) {
    const name = fileName(block) ?? `line-${block.line}.${block.language}`
    if (names.has(name)) throw new Error(`${page}:${block.line}: there are two blocks ${name}`)
    names.add(name)
    // Without an import or export a file would be a script, with names that others have as well.
    put(name, /^(?:import|export) /m.test(block.text) ? block.text : `${block.text}\nexport {}\n`)
    if (/^export default /m.test(block.text) && !/\.(?:build|test)\.ts$/.test(name)) programs.push(name)
  }
  return { folder, programs }
}

/** What TypeScript and the tool say of the modules of a page; nothing when all is well. */
async function wrongIn(t: ExecutionContext, page: string, text: string): Promise<string[]> {
  const { folder, programs } = folderOf(t, page, text)
  const checked = await run([join(root, 'node_modules/typescript/bin/tsc'), '-p', '.', '--noUnusedLocals', 'false'], folder)
  const wrong = checked.code === 0 ? [] : [checked.text]
  for (const name of programs) {
    const source = readFileSync(join(folder, name), 'utf8')
    const target = source.includes("'node:") ? 'unix' : source.includes("'@xen-ts/qubes'") ? 'qubes' : 'xen'
    const { code, text } = await run([tool, 'build', name, '-t', target, '-o', target === 'unix' ? 'page.js' : 'page.xen'], folder)
    if (code !== 0) wrong.push(`${name}: ${text}`)
  }
  return wrong
}

test.serial('what does not fit its types, or does not build, is found', async t => {
  t.timeout(120_000)
  const wrong = await wrongIn(
    t,
    'none.md',
    `
\`\`\`ts
// app.ts
import { http, unikernel } from 'xen-ts'
export default unikernel({ name: 'a', devices: { http: http() }, start: ({ http }) => http.sreve() })
\`\`\`

\`\`\`ts
import { assets, unikernel } from 'xen-ts'
export default unikernel({ name: 'a', devices: { files: assets('./nowhere') }, start() {} })
\`\`\`
`,
  )
  t.is(wrong.length, 2)
  t.regex(wrong[0], /app\.ts\(3,\d+\): error TS2551: Property 'sreve' does not exist/)
  t.regex(wrong[1], /^line-9\.ts: error: assets: there is no folder \.\/nowhere/)
})

for (const page of pages.filter(page => page === 'README.md' || /^docs\/[\w-]+\.md$/.test(page))) {
  const text = readFileSync(join(root, page), 'utf8')
  if (!/^```tsx?$/m.test(text)) continue
  test.serial(`the programs of ${page} are checked and built`, async t => {
    t.timeout(300_000)
    t.deepEqual(await wrongIn(t, page, text), [])
  })
}
