/** Bundles that are made before it is known what to bundle: they change nothing but the time. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { guessBundle } from './bundle.ts'
import { bundleProgram } from './image-bundle.ts'
import { findProject, type Project } from './project.ts'
import { type FoundTarget, findTarget } from './targets.ts'
import { folderOf } from './testing.ts'

const handler = (body: string): string => `export default { fetch: (request: Request) => ${body} }\n`
const plain = handler('new Response(request.url)')
const device = `import { unikernel } from 'xen-ts'\nexport default unikernel({ name: 'app', start({ log }) { log.info('no network') } })\n`

const cached = (root: string): string[] => readdirSync(join(root, 'node_modules/.cache/xen-ts')).filter(name => name.startsWith('main-'))

async function projectOf(t: ExecutionContext, source: string): Promise<[string, Project, FoundTarget]> {
  const root = folderOf(t, { 'app.ts': source, 'node_modules/a/index.js': '' })
  return [root, findProject(root), await findTarget('xen', root)]
}

test('the bundle of the last build is made again, and taken, where the program asks for the same', async t => {
  const [root, project, target] = await projectOf(t, plain)
  t.is(guessBundle(project, target.name), undefined)
  await bundleProgram(project, target)
  t.is(cached(root).length, 1)
  writeFileSync(join(root, 'app.ts'), handler('new Response(request.method)'))
  const guess = guessBundle(project, target.name)!
  const { code, map } = await bundleProgram(project, target, { guess })
  const answer = (await guess.answer)!
  t.regex(code, /request\.method/)
  t.is(answer.result.outputFiles.find(({ path }) => path.endsWith('.map'))!.text, map)
  const without = await bundleProgram(project, target)
  t.is(code, without.code)
  t.is(map, without.map)
})

for (const [what, source, needs] of [
  ['another part of the web', handler('new Response(structuredClone(request.url))'), /structuredClone/],
  ['no network', device, /no network/],
  ['a global of the target', handler('fetch(request.url)'), /globals: \{ fetch/],
] as const) {
  test(`a guess that is wrong is not taken: the program needs ${what}`, async t => {
    const [root, project, target] = await projectOf(t, plain)
    await bundleProgram(project, target)
    writeFileSync(join(root, 'app.ts'), source)
    const guess = guessBundle(project, target.name)!
    const { code, network } = await bundleProgram(project, target, { guess })
    t.regex(code, needs)
    const without = await bundleProgram(project, target)
    t.is(code, without.code)
    t.is(network, without.network)
    t.not(
      guessBundle(project, target.name)!.question.main + guessBundle(project, target.name)!.question.left,
      guess.question.main + guess.question.left,
    )
  })
}

test('a file that is broken is no guess; one that fails is not taken, and the error is that of the build', async t => {
  const [root, project, target] = await projectOf(t, plain)
  const { code } = await bundleProgram(project, target)
  const [name] = cached(root)
  writeFileSync(join(root, 'node_modules/.cache/xen-ts', name), 'broken')
  t.is(guessBundle(project, target.name), undefined)
  t.is((await bundleProgram(project, target)).code, code)
  const question = guessBundle(project, target.name)!.question
  const fails = { question, answer: Promise.resolve(undefined) }
  t.is((await bundleProgram(project, target, { guess: fails })).code, code)
  writeFileSync(join(root, 'app.ts'), `import './absent.ts'\n${plain}`)
  const guess = guessBundle(project, target.name)!
  t.is(await guess.answer, undefined)
  await t.throwsAsync(bundleProgram(project, target, { guess }), { message: /absent/ })
  t.true(existsSync(join(root, 'app.ts')))
})
