/** `xen-ts qubes setup`: what dom0 must be told once. */
import { execFileSync } from 'node:child_process'
import { checkName } from '../deploy/vm-name.ts'
import { CliError } from '../errors.ts'
import { quoted, saltState, setupScript } from './setup.ts'

export interface SetupOptions {
  from?: string
  netvm: string
  memory: number
  label: string
  salt?: boolean
}

const labels = ['red', 'orange', 'yellow', 'green', 'gray', 'blue', 'purple', 'black']

/** @param words what xen-ts was started with: the script says how it comes into dom0 */
export function setupCommand(vm: string, words: readonly string[], { from = ownName(), netvm, memory, label, salt }: SetupOptions): void {
  checkName(vm)
  if (from === undefined)
    throw new CliError('which qube will send the images is not known: this is none', undefined, 'give it with --from QUBE')
  checkName(from)
  if (netvm !== 'none') checkName(netvm)
  if (!labels.includes(label)) throw new CliError(`there is no label ${label}`, `--label ${label}`, `labels are ${labels.join(', ')}`)
  // npx finds the tool in this folder only, and a shell that dom0 starts begins at home.
  const command = ['cd', process.cwd(), '&&', 'npx', 'xen-ts', ...words].map(word => (word === '&&' ? word : quoted(word))).join(' ')
  const setup = { vm, from, netvm: netvm === 'none' ? undefined : netvm, memory, label, command }
  process.stdout.write(salt === true ? saltState(setup) : setupScript(setup))
}

/** The name of this qube; undefined outside of Qubes. */
function ownName(): string | undefined {
  try {
    return execFileSync('qubesdb-read', ['/name'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}
