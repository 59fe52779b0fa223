/**
 * What dom0 must be told once for a qube that runs our images: a shell script, or a state of Salt. Both are printed, for somebody to
 * read: dom0 takes orders from nobody else.
 */
import { readFileSync } from 'node:fs'

export interface Setup {
  /** The qube that will run images; the folder of its kernel has its name. */
  readonly vm: string
  /** The qube that may send them. */
  readonly from: string
  /** undefined: no network. */
  readonly netvm: string | undefined
  /** MiB. */
  readonly memory: number
  readonly label: string
  /** The command that prints this, for a shell of `from`, wherever that begins. */
  readonly command: string
}

const SERVICE = 'xen-ts.Deploy'
const dom0Side = (): string => readFileSync(new URL(`../deploy/dom0/${SERVICE}`, import.meta.url), 'utf8')

const folder = (vm: string): string => `/var/lib/qubes/vm-kernels/${vm}`
const policyFile = (vm: string): string => `/etc/qubes/policy.d/30-xen-ts-${vm}.policy`
/** The service itself only takes images for qubes whose marker names the sender. */
const policyLine = ({ vm, from }: Setup): string => `${SERVICE} * ${from} @adminvm allow  # images for ${vm}`

/** One virtual CPU and no balloon: a kernel without one is killed when its maximum is above its memory. */
const properties = ({ vm, netvm, memory }: Setup): readonly (readonly [string, string])[] => [
  ['kernel', vm],
  ['kernelopts', ''],
  ['virt_mode', 'pvh'],
  ['memory', String(memory)],
  ['maxmem', String(memory)],
  ['vcpus', '1'],
  ['netvm', netvm ?? ''],
]

/** Features: no options that Linux wants, our agents answer, nothing there to update. */
const features = [
  ['no-default-kernelopts', '1'],
  ['qrexec', '1'],
  ['gui', '1'],
  ['skip-update', '1'],
] as const

/** Quoted for a POSIX shell. */
export const quoted = (text: string): string => (/^[\w./@:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

/** For the shell of dom0. It may be run again: what is there already stays, properties are set anew. */
export function setupScript(setup: Setup): string {
  const { vm, from, label, command } = setup
  return `#!/bin/sh
# Sets up the qube ${vm} for images of xen-ts that ${from} sends. Read it first. To get it into dom0, there:
#   qvm-run --pass-io ${from} ${quoted(command)} > setup-${vm}.sh
set -eu

# The folder of its kernel: the service below may replace vmlinuz for the qubes that the marker names.
sudo install -d -g qubes -m 2775 ${folder(vm)}
[ -e ${folder(vm)}/vmlinuz ] || sudo install -g qubes -m 664 /dev/null ${folder(vm)}/vmlinuz
echo ${from} | sudo tee ${folder(vm)}/xen-ts-ok > /dev/null

# The qube.
qvm-check -q ${vm} || qvm-create --class StandaloneVM --label ${quoted(label)} ${vm}
${properties(setup)
  .map(([name, value]) => `qvm-prefs ${vm} ${name} ${quoted(value)}`)
  .join('\n')}
${features.map(([name, value]) => `qvm-features ${vm} ${name} ${value}`).join('\n')}

# The service, and who may use it.
sudo tee /etc/qubes-rpc/${SERVICE} > /dev/null <<'END_OF_SERVICE'
${dom0Side()}END_OF_SERVICE
sudo chmod 755 /etc/qubes-rpc/${SERVICE}
echo ${quoted(policyLine(setup))} | sudo tee ${policyFile(vm)} > /dev/null

echo "In ${from}: npx xen-ts deploy IMAGE ${vm}"
`
}

/** For Salt: a file below /srv/user_salt, applied with qubesctl --show-output state.apply. */
export function saltState(setup: Setup): string {
  const { vm, label } = setup
  const indent = (text: string, by: number): string =>
    text
      .trimEnd()
      .split('\n')
      .map(line => (line === '' ? '' : ' '.repeat(by) + line))
      .join('\n')
  const item = ([name, value]: readonly [string, string]): string => `      - ${name}: ${JSON.stringify(value)}`
  return `# The qube ${vm} for images of xen-ts that ${setup.from} sends. In dom0, as /srv/user_salt/xen-ts-${vm}.sls:
#   sudo qubesctl --show-output state.apply xen-ts-${vm} saltenv=user
${folder(vm)}:
  file.directory:
    - user: root
    - group: qubes
    - mode: '2775'

${folder(vm)}/vmlinuz:
  file.managed:
    - replace: false
    - group: qubes
    - mode: '0664'

${folder(vm)}/xen-ts-ok:
  file.managed:
    - contents: ${setup.from}

xen-ts-${vm}:
  qvm.vm:
    - name: ${vm}
    - present:
      - class: StandaloneVM
      - label: ${label}
    - prefs:
${properties(setup).map(item).join('\n')}
    - features:
      - set:
${features.map(([name, value]) => `        - ${name}: ${JSON.stringify(value)}`).join('\n')}
    - require:
      - file: ${folder(vm)}/vmlinuz

/etc/qubes-rpc/${SERVICE}:
  file.managed:
    - mode: '0755'
    - contents: |
${indent(dom0Side(), 8)}

${policyFile(vm)}:
  file.managed:
    - contents: |
        ${policyLine(setup)}
`
}
