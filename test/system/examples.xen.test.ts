/** The examples that show one driver each, with the commands that stand in them: the tool as a user has it, from the source to the echo. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'

const tool = fileURLToPath(import.meta.resolve('xen-ts/bin'))
const examples = fileURLToPath(new URL('../../examples', import.meta.url))

interface Result {
  code: number
  stdout: string
  stderr: string
}

/** Does what the first comment of an example says. Gives what its run commands printed. */
async function show(t: ExecutionContext, example: string): Promise<Result[]> {
  t.timeout(600_000)
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-example-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const comment = readFileSync(join(examples, example, 'app.ts'), 'utf8').split('*/')[0]
  const commands = [...comment.matchAll(/^ \* +npx xen-ts (.*)$/gm)].map(([, command]) => command)
  t.regex(commands[0], /^build examples\//)
  const results: Result[] = []
  for (const command of commands) {
    // Port 0 is not for users; two tests at a time must not meet at 8080.
    const script = command
      .replace(/^build examples/, `build ${examples}`)
      .replace(/^run /, `run --port ${20_000 + (process.pid % 40_000)} `)
    const result = await new Promise<Result>(resolve =>
      execFile(
        'sh',
        ['-c', `"$NODE" "$TOOL" ${script}`],
        {
          cwd: folder,
          timeout: 280_000,
          env: { ...process.env, NODE: process.execPath, TOOL: tool },
        },
        (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
      ),
    )
    t.is(result.code, 0, `${command}\n${result.stdout}\n${result.stderr}`)
    if (command.startsWith('run')) results.push(result)
  }
  return results
}

test.serial('xenstore-ls lists what the toolstack has written', async t => {
  const [all, device] = await show(t, 'xenstore-ls')
  t.regex(all.stdout, /\[xenstore-ls\] {3}domid = "\d+"/)
  t.regex(all.stdout, /\[xenstore-ls\] {3}name = "xenstore-ls"/)
  t.regex(device.stdout, /\[xenstore-ls\] device$/m)
  t.regex(device.stdout, /\[xenstore-ls\] {3}vif = ""$/m)
})

test.serial('vchan-echo sends back what dom0 says, as server and as client', async t => {
  for (const { stdout } of await show(t, 'vchan-echo')) {
    t.regex(stdout, /^dom0 \| hello from dom0$/m)
    t.regex(stdout, /\[vchan-echo\] ended 1: 15 bytes/)
  }
})

test.serial('frame-echo answers frames of every length', async t => {
  const [{ stdout }] = await show(t, 'frame-echo')
  t.regex(stdout, /^dom0 \| 1455$/m)
  t.regex(stdout, /\[frame-echo\] 14\d\d frames answered, 0 dropped/)
})
