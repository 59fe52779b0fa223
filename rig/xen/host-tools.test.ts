import test from 'ava'
import { RigError } from './errors.ts'
import { ensureHostTools, type Host } from './host-tools.ts'

function host(lacks: string[], aptGet: Host['aptGet'] = async () => {}): Host {
  return { has: async program => !lacks.includes(program), aptGet }
}

test('what is missing is installed with apt-get, which is said', async t => {
  const lines: string[] = []
  const commands: string[][] = []
  await ensureHostTools(
    line => lines.push(line),
    host(['gcc', 'qemu-system-x86_64'], async (...args) => void commands.push(args)),
  )
  t.deepEqual(lines, ['installing qemu-system-x86, gcc with apt-get, for the emulated Xen'])
  t.deepEqual(commands, [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', 'qemu-system-x86', 'gcc'],
  ])
})

test('nothing is missing: nothing is installed, and nothing said', async t => {
  const told = (...args: string[]) => t.fail(args.join(' '))
  await ensureHostTools(
    told,
    host([], async (...args) => told(...args)),
  )
  t.pass()
})

test('a user who may not install gcc is told what it is for, why it failed, and what to ask for', async t => {
  const refused = host(['gcc'], async () => {
    throw new RigError('apt-get needs root, and there is no sudo', 'apt-get update -qq')
  })
  const error = await t.throwsAsync(
    ensureHostTools(() => {}, refused),
    { instanceOf: RigError },
  )
  t.is(
    error.message,
    `The emulated Xen needs programs that this host lacks, and apt-get could not install them
  gcc: compiles the helper programs of dom0, once
  apt-get needs root, and there is no sudo
    apt-get update -qq
  Install them: apt-get install --no-install-recommends gcc`,
  )
})

test('a host without apt is told that it needs Debian, whatever else it has', async t => {
  const error = await t.throwsAsync(
    ensureHostTools(() => {}, host(['apt-get', 'dpkg-deb'])),
    { instanceOf: RigError },
  )
  t.is(
    error.message,
    `The emulated Xen is made of Debian's packages, and this host has no apt-get
  dpkg-deb: unpacks Debian's packages
  Run it on Debian, or in a virtual machine or a container with Debian.`,
  )
})
