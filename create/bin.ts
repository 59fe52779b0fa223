#!/usr/bin/env node
import { stdin, stdout } from 'node:process'
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { CreateError, checkFolder, checkName, checkTemplate, create, nameFor, type Template, templates } from './create.ts'

const usage = `usage: npm create xen-ts [FOLDER] -- [--template NAME] [--name NAME] [--yes]

  --template NAME   ${Object.entries(templates)
    .map(([name, what]) => `${name}: ${what}`)
    .join('\n                    ')}
  --name NAME       of the program and its domain (default: that of the folder)
  --yes             ask nothing: the website, in the folder my-program, unless others are named
`

async function main(): Promise<void> {
  const { folder, options } = readArguments()
  if (options.help) return void stdout.write(usage)
  // What is wrong is said before anything is asked.
  if (options.template !== undefined) checkTemplate(options.template)
  if (options.name !== undefined) checkName(options.name)
  if (folder !== undefined) checkFolder(folder)
  const asks = !options.yes && (folder === undefined || options.template === undefined)
  if (asks && !stdin.isTTY)
    throw new CreateError(
      'there is nobody to ask: the input is not a terminal',
      undefined,
      'name a folder and a template (npm create xen-ts my-site -- --template website), or add --yes',
    )
  const answers = asks ? await ask(folder, options.template) : { folder: folder ?? 'my-program', template: options.template ?? 'website' }
  const name = options.name ?? nameFor(answers.folder)
  create({ ...answers, template: answers.template as Template, name })
  stdout.write(`${answers.folder}: the program ${name}, from the template ${answers.template}. Next:

  cd ${answers.folder}
  npm install
  npm test
  npm run build
`)
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { template: { type: 'string' }, name: { type: 'string' }, yes: { type: 'boolean' }, help: { type: 'boolean' } },
    })
    if (positionals.length > 1) throw new Error(`one folder is made, and not ${positionals.join(', ')}`)
    return { folder: positionals[0], options: values }
  } catch (error) {
    throw new CreateError((error as Error).message.split('. ')[0], undefined, 'npm create xen-ts -- --help lists the options')
  }
}

async function ask(folder: string | undefined, template: string | undefined): Promise<{ folder: string; template: string }> {
  const lines = createInterface({ input: stdin, output: stdout })
  const until = async (question: string, preset: string, check: (answer: string) => void): Promise<string> => {
    for (;;) {
      const answer = (await lines.question(`${question} (${preset}): `)).trim() || preset
      try {
        check(answer)
        return answer
      } catch (error) {
        if (!(error instanceof CreateError)) throw error
        stdout.write(`${describe(error)}\n`)
      }
    }
  }
  try {
    const list = Object.entries(templates).map(([name, what]) => `  ${name.padEnd(10)}${what}\n`)
    if (template === undefined) stdout.write(`Templates:\n${list.join('')}`)
    return {
      template: template ?? (await until('Template', 'website', checkTemplate)),
      folder: folder ?? (await until('Folder', 'my-program', checkFolder)),
    }
  } finally {
    lines.close()
  }
}

const describe = (error: CreateError): string =>
  [`error: ${error.message}`, error.where && `  ${error.where}`, error.todo && `  ${error.todo}`].filter(Boolean).join('\n')

try {
  await main()
} catch (error) {
  const { code, path } = error as NodeJS.ErrnoException
  if (error instanceof CreateError) console.error(describe(error))
  else if (code !== undefined && path !== undefined)
    console.error(describe(new CreateError(`${path} cannot be written: ${code}`, undefined, 'choose another folder')))
  else throw error
  process.exitCode = 1
}
