/** The pages name commands and options that exist. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { blocksOf, commandsOf } from './blocks.ts'
import { pages, root } from './list.ts'

const tool = fileURLToPath(import.meta.resolve('xen-ts/bin'))
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const makefile = readFileSync(join(root, 'Makefile'), 'utf8')

const helps = new Map<string, Promise<string | undefined>>()

/** What a command of the tool says of itself; undefined: there is none of that name. */
function helpOf(name: string): Promise<string | undefined> {
  if (!helps.has(name)) {
    const args = name.split(' ').slice(1)
    helps.set(
      name,
      new Promise(resolve =>
        execFile(process.execPath, [tool, ...args, '--help'], (error, stdout) =>
          // Of an unknown command commander shows the help of what stands above it.
          resolve(error === null && stdout.startsWith(`Usage: ${name} `) ? stdout : undefined),
        ),
      ),
    )
  }
  return helps.get(name)!
}

async function wrongIn(page: string): Promise<string[]> {
  const wrong: string[] = []
  for (const { name, options, text } of commandsOf(page)) {
    const [what, word, script = ''] = name.split(' ')
    if (what === 'make') {
      if (!new RegExp(`^${word}:`, 'm').test(makefile)) wrong.push(`${text}: no such target`)
    } else if (what === 'npm') {
      if (scripts[script] === undefined) wrong.push(`${text}: no such script`)
    } else {
      const help = await helpOf(name)
      if (help === undefined) wrong.push(`${text}: no such command`)
      else
        for (const option of options) if (!new RegExp(`(^|[ ,])${option}(?=[ ,=]|$)`, 'm').test(help)) wrong.push(`${text}: no ${option}`)
    }
  }
  return wrong
}

test('commands are found, and what is wrong with them', async t => {
  const page = `Try \`npx xen-ts build app.ts --outptu x\`, \`make nothing\` and \`xen-ts COMMAND --help\`.

    xen-ts run a.xen --dom0 'xl list --wrong' --exit -- --greeting=Hi   # --comment
    echo hello | npx xen-ts run a.xen --call x \\
      --wrnog
    npm run chekc && npm run test:unit
    xen-ts biuld

\`\`\`sh
xen-ts qubes setup work --salt -m 40 --netvm none --form x
\`\`\`
`
  t.deepEqual(await wrongIn(page), [
    'npx xen-ts run a.xen --call x    --wrnog: no --wrnog',
    'npm run chekc: no such script',
    'xen-ts biuld: no such command',
    'xen-ts qubes setup work --salt -m 40 --netvm none --form x: no --form',
    'npx xen-ts build app.ts --outptu x: no --outptu',
    'make nothing: no such target',
  ])
})

for (const page of pages.filter(page => page.startsWith('docs/') || page === 'README.md')) {
  test(`${page} names commands and options that exist`, async t => {
    t.deepEqual(await wrongIn(readFileSync(join(root, page), 'utf8')), [])
  })
}

/** What somebody who has this repository and nothing else cannot type: xen-ts and a Node that is new enough are in node_modules. */
const bareCommands = (page: string): string[] =>
  blocksOf(page)
    .filter(({ language }) => language === '' || language === 'sh')
    .flatMap(({ text }) => text.split('\n'))
    .filter(line => /(^|[|;&] *)(xen-ts [a-z]|node (-\S+ )*[\w.-]+\.js)/.test(line))

test('commands that a shell does not find', t => {
  t.deepEqual(
    bareCommands(
      '    xen-ts build a.ts\n    npx xen-ts run a.xen\n    echo | xen-ts run a.xen\n    xen-ts: a: crash\n    node a.js --x\n    npx node a.js\n',
    ),
    ['xen-ts build a.ts', 'echo | xen-ts run a.xen', 'node a.js --x'],
  )
})

for (const page of pages.filter(page => page.startsWith('docs/') || page === 'README.md')) {
  test(`${page} has commands that a shell finds in this repository`, t => {
    t.deepEqual(bareCommands(readFileSync(join(root, page), 'utf8')), [])
  })
}
