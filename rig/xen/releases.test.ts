import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { sourcesList } from './apt.ts'
import { dom0Packages } from './dom0.ts'
import { RigError } from './errors.ts'
import { nginxPackages } from './linux-guest.ts'
import { unpackPackages } from './packages.ts'
import { checkQemu, chooseRelease, hostRelease, type Release, releases } from './releases.ts'

const [bullseye, bookworm, trixie] = releases
const debian = (version: string) => `PRETTY_NAME="Debian"\nNAME="Debian GNU/Linux"\n${version}ID=debian\n`

test("the host's release has its own Xen; another Debian and another system have none", t => {
  t.is(hostRelease(debian('VERSION_ID="11"\n')), bullseye)
  t.is(hostRelease(debian('VERSION_ID="12"\n')), bookworm)
  t.is(hostRelease(debian('VERSION_ID="13"\n')), trixie)
  for (const other of ['VERSION_ID="10"\n', 'VERSION_ID="14"\n', '']) t.is(hostRelease(debian(other)), undefined)
  t.is(hostRelease('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="12"\n'), undefined)
  t.is(hostRelease(''), undefined)
})

test('an option comes before the environment, that before the host; on another host it is the newest', t => {
  t.is(chooseRelease('4.14', { XEN_TS_XEN: '4.20' }, bookworm), bullseye)
  t.is(chooseRelease(undefined, { XEN_TS_XEN: '4.20' }, bookworm), trixie)
  t.is(chooseRelease(undefined, { XEN_TS_XEN: '' }, bookworm), bookworm)
  t.is(chooseRelease(undefined, {}, bullseye), bullseye)
  t.is(chooseRelease(undefined, {}, null), trixie)
})

test('a version that is none: the versions that there are, and where the word stood', t => {
  const choices = '  Choose one of 4.14 (Debian 11), 4.17 (Debian 12), 4.20 (Debian 13).'
  const refused = (asked?: string, variable?: string) =>
    t.throws(() => chooseRelease(asked, { XEN_TS_XEN: variable }, bookworm), { instanceOf: RigError }).message
  t.is(refused('4.15'), `There is no Xen 4.15 for the rig\n  --xen 4.15\n${choices}`)
  t.is(refused(undefined, '4'), `There is no Xen 4 for the rig\n  XEN_TS_XEN=4\n${choices}`)
})

test('QEMU from 10.0 on kills the guests of a Xen before 4.20: such a pair is refused before it starts', t => {
  const qemu = (version: string) => `QEMU emulator version ${version} (Debian 1:${version}+ds-0)\nCopyright (c) Fabrice Bellard\n`
  for (const version of ['5.2.0', '7.2.22', '9.2.4']) for (const release of releases) t.notThrows(() => checkQemu(release, qemu(version)))
  for (const version of ['10.0.0', '10.0.6', '11.1.0']) {
    t.notThrows(() => checkQemu(trixie, qemu(version)))
    for (const release of [bullseye, bookworm]) {
      const { message } = t.throws(() => checkQemu(release, qemu(version)), { instanceOf: RigError })
      t.true(message.startsWith(`Xen ${release.xen} does not run under QEMU ${version}: `), message)
      t.regex(message, /\n {2}QEMU emulator version [^\n]*\n {2}Choose Xen 4\.20 \(--xen 4\.20\), or use a QEMU before 10\.0/)
    }
  }
})

test('the packages of a release have its version in their names, and no other', t => {
  for (const release of releases) {
    const names = dom0Packages(release)
    t.is(new Set(names).size, names.length)
    const versions = names.flatMap(name => /\d\.\d\d/.exec(name)?.[0] ?? [])
    t.deepEqual(versions, [release.xen, release.xen, release.xen], names.join(' '))
    t.true(names.includes(release.xen === '4.14' ? 'libxenstore3.0' : 'libxenstore4'))
    t.true(nginxPackages[release.xen].includes('libc6'))
  }
})

const addresses =
  'Debian\thttp://near.example/debian/\nDebian\thttp://near.example/debian/\nDebian-Security\thttp://near.example/debian-security/\n'
const lines = (release: Release, asked: string | undefined, known: string) =>
  sourcesList(release, asked, known)
    .replaceAll('deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ', '')
    .trim()
    .split('\n')

test("packages of another release come from the host's own mirror, with their security updates", t => {
  t.deepEqual(lines(bullseye, undefined, addresses), [
    'http://near.example/debian/ bullseye main',
    'http://near.example/debian-security/ bullseye-security main',
  ])
  // Before its first update apt knows no labels.
  t.deepEqual(lines(trixie, undefined, addresses.replaceAll(/^.*\t/gm, '\t')), [
    'http://near.example/debian/ trixie main',
    'http://near.example/debian-security/ trixie-security main',
  ])
  t.deepEqual(lines(trixie, '', 'Debian\tcdrom:[Debian]/\nTools\thttps://tools.example/apt/\nDebian\thttp://far.example/mirror/\n'), [
    'http://far.example/mirror/ trixie main',
  ])
})

test('a mirror that is asked for is taken, and a host without one is told how to name it', t => {
  t.deepEqual(lines(bookworm, 'http://old.example/debian', addresses), ['http://old.example/debian bookworm main'])
  t.deepEqual(lines(bookworm, ' http://old.example/debian  http://old.example/security ', ''), [
    'http://old.example/debian bookworm main',
    'http://old.example/security bookworm-security main',
  ])
  t.throws(() => sourcesList(trixie, undefined, 'Ubuntu\thttp://near.example/ubuntu/\n'), {
    instanceOf: RigError,
    message:
      /no mirror of Debian, from which Xen 4\.20 and the Linux of Debian 13 would come\n[^]*Set XEN_TS_DEBIAN_MIRROR to the address of one\.$/,
  })
})

test('a mirror that has nothing: which lists are missing, in the words of apt, and nothing is kept of the try', async t => {
  const cache = mkdtempSync(join(tmpdir(), 'xen-ts-cache-'))
  t.teardown(() => rmSync(cache, { recursive: true }))
  // Of a mirror that does not answer apt-get only warns.
  process.env.XEN_TS_DEBIAN_MIRROR = 'http://127.0.0.1:1/nowhere'
  t.teardown(() => delete process.env.XEN_TS_DEBIAN_MIRROR)
  const said: string[] = []
  const other = releases.find(release => release !== hostRelease())!
  const error = await t.throwsAsync(
    unpackPackages(['hello'], cache, line => said.push(line), other),
    { instanceOf: RigError },
  )
  t.true(error.message.startsWith(`The package lists of Debian ${other.debian} (${other.codename}) could not be fetched\n`), error.message)
  t.regex(error.message, /nowhere\/dists\/\w+\/[^]*\n {2}deb .*nowhere \w+ main\n {2}Check the network\./)
  t.deepEqual(said, [`fetching the package lists of Debian ${other.debian} (${other.codename}), for Xen ${other.xen}`])
  t.deepEqual(readdirSync(cache), [])
})
