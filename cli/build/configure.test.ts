/** configure, what build makes of its main.ts, and clean. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runInEngine } from '@xen-ts/boot/testing'
import test, { type ExecutionContext } from 'ava'
import { CliError } from '../errors.ts'
import type { AddressOptions } from './address.ts'
import { buildProgram } from './build.ts'
import { configure } from './configure.ts'
import { bundleProgram } from './image-bundle.ts'
import { generatedFor } from './main-file.ts'
import { headerText as headerOf, MARK, readHeader } from './main-module.ts'
import { type GivenOptions, prepare } from './prepare.ts'
import { buildProcess } from './process.ts'
import { findProject } from './project.ts'
import { folderOf } from './testing.ts'

const site = `import { arg, assets, http, unikernel } from 'xen-ts'
export default unikernel({
  name: 'www',
  args: { greeting: arg.string({ default: 'Hello', doc: '' }) },
  devices: { http: http(), site: assets('./public') },
  start() {},
})`

const siteFolder = (t: ExecutionContext): string =>
  folderOf(t, { 'app.ts': site, 'public/index.html': '<p>', 'package.json': '{ "name": "www", "version": "1.2.3" }' })

/** A target without Xen, with an argument and settings; what a device kind of it needs is a device of its own. */
const mine = `import { arg, provided, type Connect, type Target } from 'xen-ts'
export const target = {
  name: 'mine', becomes: 'image', args: { ipv4: arg.string({ default: '', doc: '' }) }, adds: ['a bell'],
  kinds: { sundial: {}, oracle: { sundial: provided('sundial') } },
} as const satisfies Target
export const connect: Connect<typeof target> = ({ args, log }) => {
  log.info('connected')
  return { provide: {
    sundial: (_needs, _options, { log }) => { log.info('made'); return 'noon' },
    oracle: ({ sundial }, _options, { log }) => { log.info('made'); return () => sundial + ' at ' + args.ipv4 },
  } }
}`

const asking = `import { arg, device, provided, unikernel } from 'xen-ts'
const own = device({ name: 'own', needs: { oracle: provided<() => string>('oracle') }, connect: ({ oracle }) => ({ ask: oracle }) })
export default unikernel({ name: 'app', args: { greeting: arg.string({ default: 'Hello', doc: '' }) }, devices: { 'my-own': own, sundial: provided<string>('sundial') },
  start({ 'my-own': own, sundial, args, log }) { log.info([args.greeting, own.ask(), sundial].join(' ')) } })`

/** As build does, up to the bundle, which runs in the guest's engine. */
async function run(root: string, commandLine: string, options: GivenOptions = {}): Promise<string[]> {
  const project = findProject(root)
  const { target, main, check, warnings } = await prepare(project, options, 'xen')
  const more = await check()
  const { code } = await bundleProgram(project, target, main)
  let output = ''
  await runInEngine({
    bundle: code,
    filename: 'app.js',
    commandLine,
    output: text => {
      output += text
    },
  })
  const lines = output.trim().split('\n')
  return [...warnings, ...more, ...lines.map(line => line.replace(/^[\d-]+ [\d:.]+ -00:00: /, ''))]
}

const refusal = async (t: ExecutionContext, work: Promise<unknown>): Promise<CliError> =>
  (await t.throwsAsync(work, { instanceOf: CliError })) as CliError

test('main.ts: a header, what the target adds, then each device once after what it needs', async t => {
  const root = siteFolder(t)
  const { path } = await configure(root, {
    target: 'qubes',
    args: ['--greeting=Good day'],
  })
  t.is(path, join(root, 'main.ts'))
  const [mark, command, depends, hash, ...body] = readFileSync(path, 'utf8').split('\n')
  t.is(mark, MARK)
  t.is(command, "// command: xen-ts configure app.ts -t qubes -- '--greeting=Good day'")
  t.regex(depends, /^\/\/ What it depends on/)
  t.regex(hash, /^\/\/ sha256: [0-9a-f]{64}$/)
  t.deepEqual(body, [
    "import { boot } from '@xen-ts/runtime/guest'",
    "import { connect, target } from '@xen-ts/targets/qubes'",
    '',
    'boot({',
    "  name: 'www',",
    "  version: '1.2.3',",
    '  target,',
    '  // First what target qubes adds by itself: shutdown requests, QubesDB, qrexec agent, GUI agent.',
    '  connect,',
    '  // Defaults: what the program is started with wins.',
    "  defaults: ['--greeting=Good day'],",
    "  program: () => import('./app.ts'),",
    '  // Then its devices, each made once, when it is asked for first, after what it needs.',
    '  devices({ devices, once }) {',
    '    const stack = once(devices.http.needs.stack)',
    '    const http = once(devices.http, { stack })',
    "    const site = once(devices.site) // assets: of the program's own",
    '    return { http, site }',
    '  },',
    '})',
    '',
  ])
})

test('what was chosen, and why', async t => {
  const choices = async (root: string, options: GivenOptions) => Object.fromEntries((await configure(root, options)).choices)
  const root = siteFolder(t)
  t.like(await choices(root, { target: 'qubes' }), {
    target: 'qubes: as given; it becomes a .xen image',
    added: 'shutdown requests, QubesDB, qrexec agent, GUI agent: target qubes needs them',
    devices: "stack, http, assets (the program's own): in this order",
    network: 'our own stack on the network device: target qubes has it',
    address: 'from QubesDB: that is so on target qubes',
  })
  t.is((await choices(root, {})).target, 'qubes: as main.ts was; it becomes a .xen image')
  t.like(await choices(root, { target: 'unix', address: { net: 'socket' } }), {
    target: 'unix: as given; it becomes a script for Node',
    network: 'sockets of the host: target unix has it',
    address: 'from the host: that is so on target unix',
  })
  t.like(await choices(root, { target: 'unix', address: { net: 'direct', tap: 'tap0', ipv4: '10.0.0.2/24' } }), {
    network: 'our own stack on tap0 of the host: as given',
    address: '10.0.0.2/24: as given',
  })
  for (const [address, expected] of [
    [{}, /^not known yet: start it with ipv4=/],
    [{ dhcp: true }, /^from a DHCP server: as given$/],
    [{ dhcp: true, ipv6: 'fd00::2/64' }, /^from a DHCP server, and fd00::2\/64: as given$/],
    [{ ipv4: '10.0.0.2/24', ipv4Gateway: '10.0.0.1' }, /^10\.0\.0\.2\/24: as given$/],
  ] as const)
    t.regex((await choices(root, { target: 'xen', address })).address, expected)
  const quiet = folderOf(t, { 'app.ts': "import { unikernel } from 'xen-ts'\nexport default unikernel({ name: 'a', start() {} })" })
  t.like(await choices(quiet, {}), {
    target: 'xen: the default; it becomes a .xen image',
    devices: 'none',
    network: 'none: no device needs it',
  })
})

test('what main.ts says runs: the target first, each device once, and its defaults', async t => {
  const root = folderOf(t, { 'mine/target.ts': mine, 'src/app.ts': asking, 'package.json': '{ "name": "app" }' })
  const given = { target: join(root, 'mine/target.ts'), address: { ipv4: '10.0.0.2/24' }, args: ["--greeting=It's"] }
  const { path } = await configure(root, given)
  t.is(path, join(root, 'src/main.ts'))
  const text = readFileSync(path, 'utf8')
  t.regex(text, /^\/\/ command: xen-ts configure app\.ts -t \.\.\/mine\/target\.ts --ipv4=10\.0\.0\.2\/24 -- '--greeting=It'\\''s'$/m)
  t.regex(text, /^import \{ connect, target \} from '\.\.\/mine\/target\.ts'$/m)
  t.regex(
    text,
    /const sundial = once\(target\.kinds\.oracle\.sundial\)\n {4}const oracle = once\(devices\['my-own'\]\.needs\.oracle, \{ sundial \}\)\n {4}const myOwn = once\(devices\['my-own'\], \{ oracle \}\)/,
  )
  t.regex(text, /return \{ 'my-own': myOwn, sundial \}/)
  const connected = ['INF [mine] connected', 'INF [sundial] made', 'INF [oracle] made']
  t.deepEqual(await run(root, ''), [...connected, "INF [app] It's noon at 10.0.0.2/24 noon"])
  // At build, and at boot: later wins.
  const built = { address: { ipv4: '10.0.0.3/24' }, args: ['greeting=Moin'] }
  t.deepEqual(await run(root, '', built), [...connected, 'INF [app] Moin noon at 10.0.0.3/24 noon'])
  t.deepEqual(await run(root, 'ipv4=10.0.0.4/24', built), [...connected, 'INF [app] Moin noon at 10.0.0.4/24 noon'])
  // Without main.ts the same.
  t.deepEqual(generatedFor(root), [path])
  writeFileSync(path, '')
  t.deepEqual(await run(root, 'greeting=Hi', { ...given, target: given.target }), [...connected, 'INF [app] Hi noon at 10.0.0.2/24 noon'])
})

test('build uses main.ts, without -t for its target; one for another target is not used, and that is said', async t => {
  const root = siteFolder(t)
  await configure(root, { target: 'qubes' })
  const output = join(root, 'www.xen')
  const first = await buildProgram({ app: root, output })
  t.deepEqual([first.target, first.warnings.length], ['qubes', 0])
  const other = await buildProgram({ app: root, output, target: 'xen' })
  t.is(other.target, 'xen')
  t.regex(other.warnings[0], /main\.ts is for target qubes and is not used for xen$/)
  t.is((await buildProgram({ app: join(root, 'app.ts'), output, target: 'qubes' })).sha256.length, 64)
})

test('a stale main.ts is refused, with what would be another and the command that renews it; changes inside of start make none', async t => {
  const root = siteFolder(t)
  await configure(root, { target: 'xen', address: { dhcp: true } })
  const output = join(root, 'www.xen')
  writeFileSync(join(root, 'app.ts'), site.replace('start() {}', "start({ log }) { log.info('more') }"))
  await buildProgram({ app: root, output })
  writeFileSync(join(root, 'app.ts'), site.replace('site: assets', 'pages: assets'))
  const error = await refusal(t, buildProgram({ app: root, output }))
  t.regex(error.message, /main\.ts is stale: /)
  t.regex(error.where!, /main\.ts:21\n- {5}const site = once\(devices\.site\).*\n\+ {5}const pages = once\(devices\.pages\)/)
  t.regex(error.todo!, /^renew it: xen-ts configure .*app\.ts -t xen --dhcp\n {2}or remove it: xen-ts clean .*app\.ts$/)
  await configure(root, { target: 'xen', address: { dhcp: true } })
  await buildProgram({ app: root, output })
  writeFileSync(join(root, 'package.json'), '{ "name": "www", "version": "1.2.4" }')
  t.regex((await refusal(t, buildProgram({ app: root, output }))).where!, /- {3}version: '1\.2\.3',\n\+ {3}version: '1\.2\.4',/)
})

test('a main.ts with an argument that the program has no more', async t => {
  const root = siteFolder(t)
  await configure(root, { target: 'xen', args: ['--greeting=Hi'] })
  writeFileSync(join(root, 'app.ts'), site.replace('greeting: arg', 'welcome: arg'))
  const error = await refusal(t, buildProgram({ app: root, output: join(root, 'www.xen') }))
  t.is(error.message, 'unknown argument --greeting=Hi')
  t.regex(error.where!, /main\.ts, which was configured with it$/)
})

test('the same main.ts gives the same image in any folder', async t => {
  const sums = []
  for (const root of [siteFolder(t), siteFolder(t)]) {
    await configure(root, { target: 'xen', address: { dhcp: true } })
    sums.push((await buildProgram({ app: root, output: join(root, 'www.xen'), args: ['--greeting=Hi'] })).sha256)
  }
  t.is(sums[0], sums[1])
})

test('a process has a main.ts, too', async t => {
  const root = folderOf(t, { 'app.ts': "import { unikernel } from 'xen-ts'\nexport default unikernel({ name: 'a', start() {} })" })
  const { path } = await configure(root, { target: 'unix' })
  t.regex(
    readFileSync(path, 'utf8'),
    /^import \{ runProcess as boot \} from '@xen-ts\/runtime\/process'\nimport \{ connect, target \} from '@xen-ts\/targets\/unix'$/m,
  )
  t.deepEqual((await buildProcess({ app: root, output: join(root, 'a.js') })).warnings, [])
})

test('what is not generated is left alone, and what is generated is no program', async t => {
  const root = folderOf(t, { 'app.ts': site, 'public/a': '', 'main.ts': '// mine\n' })
  t.regex((await refusal(t, configure(root, { target: 'xen' }))).message, /main\.ts exists, and was not generated$/)
  t.is(readFileSync(join(root, 'main.ts'), 'utf8'), '// mine\n')
  t.deepEqual(generatedFor(root), [])
  const named = folderOf(t, { 'main.ts': site, 'public/a': '' })
  t.regex((await refusal(t, configure(named, { target: 'xen' }))).message, /main\.ts is the program itself/)
  // index.ts comes after main.ts among the usual names.
  const other = folderOf(t, { 'index.ts': site, 'public/a': '' })
  const { path } = await configure(other, { target: 'xen' })
  t.is(findProject(other).entry, join(other, 'index.ts'))
  t.throws(() => findProject(path), { instanceOf: CliError, message: /main\.ts was generated for a program, and is none itself$/ })
  t.deepEqual([generatedFor(other), generatedFor(path), generatedFor(join(other, 'index.ts'))], [[path], [path], [path]])
  writeFileSync(join(other, 'second.ts'), site)
  t.deepEqual(generatedFor(join(other, 'second.ts')), [])
  t.is((await prepare(findProject(join(other, 'second.ts')), {}, 'xen')).main.main, undefined)
  writeFileSync(path, `${MARK}\n`)
  t.regex((await refusal(t, buildProgram({ app: other, output: join(other, 'a.xen') }))).message, /header of .*main\.ts cannot be read/)
})

test('a header says what it was made with, whatever quotes that needs', t => {
  const words = ['--dhcp', "--a=it's", '--b=two words', '--c="x"', "--d='"]
  t.is(readHeader('// no'), undefined)
  const header = { program: './src/app.ts', target: '../mine.ts', words, hash: 'ab'.repeat(32) }
  t.deepEqual(readHeader(headerOf(header)), header)
})

const table: [string, string, AddressOptions, RegExp][] = [
  ['sockets on Xen', 'xen', { net: 'socket' }, /^--net socket: sockets of a host: only on target unix \(target is xen\)$/],
  ['sockets in Qubes', 'qubes', { net: 'socket' }, /only on target unix \(target is qubes\)$/],
  [
    'a device on unix',
    'unix',
    { net: 'direct' },
    /^--net direct: our own stack needs a device of the host on target unix: give --tap tap0 as well$/,
  ],
  ['DHCP in Qubes', 'qubes', { dhcp: true }, /^--dhcp: not on target qubes: addresses come from QubesDB there$/],
  ['an address in Qubes', 'qubes', { ipv4: '10.0.0.2/24' }, /^--ipv4: not on target qubes: addresses come from QubesDB there$/],
  ['a gateway in Qubes', 'qubes', { ipv4Gateway: '10.0.0.1' }, /^--ipv4-gateway: not on target qubes/],
  ['IPv6 in Qubes', 'qubes', { ipv6: 'fd00::2/64' }, /^--ipv6: not on target qubes/],
  ['its gateway in Qubes', 'qubes', { ipv6Gateway: 'fe80::1' }, /^--ipv6-gateway: not on target qubes/],
  ['name servers in Qubes', 'qubes', { dns: ['10.0.0.1'] }, /^--dns: not on target qubes/],
  ['DHCP on unix', 'unix', { dhcp: true }, /^--dhcp: not on target unix without --tap: addresses come from the host there$/],
  ['an address on unix', 'unix', { ipv4: '10.0.0.2/24' }, /^--ipv4: not on target unix without --tap/],
  ['sockets and a device', 'unix', { net: 'socket', tap: 'tap0' }, /^--net socket and --tap tap0 were both given: /],
  ['a device on Xen', 'xen', { tap: 'tap0' }, /^--tap: not on target xen: it has no argument of that name$/],
  [
    'DHCP and an address on a device',
    'unix',
    { tap: 'tap0', dhcp: true, ipv4: '10.0.0.2/24' },
    /dhcp and ipv4=10\.0\.0\.2\/24 were both given/,
  ],
  ['DHCP and an address', 'xen', { dhcp: true, ipv4: '10.0.0.2/24' }, /dhcp and ipv4=10\.0\.0\.2\/24 were both given/],
  ['DHCP and a gateway', 'xen', { dhcp: true, ipv4Gateway: '10.0.0.1' }, /dhcp and ipv4-gateway=10\.0\.0\.1 were both given/],
  ['DHCP and name servers', 'xen', { dhcp: true, dns: ['10.0.0.1', '10.0.0.2'] }, /dhcp and dns=10\.0\.0\.1,10\.0\.0\.2 were both given/],
  ['a gateway alone', 'xen', { ipv4Gateway: '10.0.0.1' }, /ipv4-gateway=10\.0\.0\.1 was given without ipv4=/],
  ['a gateway of IPv6 alone', 'xen', { ipv6Gateway: 'fe80::1' }, /ipv6-gateway=fe80::1 was given without ipv6=/],
  ['DHCP and a gateway of IPv6 alone', 'xen', { dhcp: true, ipv6Gateway: 'fe80::1' }, /ipv6-gateway=fe80::1 was given without ipv6=/],
  ['no address', 'xen', { ipv4: '10.0.0.300/24' }, /"10\.0\.0\.300" is not an IPv4 address/],
  ['no prefix', 'xen', { ipv4: '10.0.0.2/33' }, /prefix 33 is not a number of bits/],
  ['the address of a network', 'xen', { ipv4: '10.0.0.0/24' }, /is the address of its network|of its network/],
  ['its own gateway', 'xen', { ipv4: '10.0.0.2/24', ipv4Gateway: '10.0.0.2' }, /gateway is 10\.0\.0\.2, the address itself/],
  ['no gateway', 'xen', { ipv4: '10.0.0.2/24', ipv4Gateway: 'router' }, /gateway "router" is not an IPv4 address/],
  ['no address of IPv6', 'xen', { ipv6: '10.0.0.2' }, /"10\.0\.0\.2" is not an IPv6 address/],
  ['no name server', 'xen', { dns: ['one'] }, /"one" is not an (IPv4 )?address/],
]

for (const [name, target, address, message] of table) {
  test(`addresses that cannot be: ${name}`, async t => {
    const root = siteFolder(t)
    t.regex((await refusal(t, configure(root, { target, address }))).message, message)
    t.false(existsSync(join(root, 'main.ts')))
    // The build of an image says the same, without a main.ts.
    if (target === 'unix')
      t.regex((await refusal(t, buildProcess({ app: root, target, address, output: join(root, 'a.js') }))).message, message)
    else t.regex((await refusal(t, buildProgram({ app: root, target, address, output: join(root, 'a.xen') }))).message, message)
  })
}

test('build and configure together: later wins, and what cannot be together is refused', async t => {
  const root = siteFolder(t)
  await configure(root, { target: 'xen', address: { ipv4: '10.0.0.2/24', ipv4Gateway: '10.0.0.1' } })
  const output = join(root, 'www.xen')
  await t.notThrowsAsync(buildProgram({ app: root, output, address: { dhcp: true } }))
  const error = await refusal(t, buildProgram({ app: root, output, address: { ipv4: '10.0.0.1/24' } }))
  t.regex(error.message, /gateway is 10\.0\.0\.1, the address itself/)
})

test('addresses of a program without a network, and arguments that it does not have', async t => {
  const root = folderOf(t, { 'app.ts': "import { unikernel } from 'xen-ts'\nexport default unikernel({ name: 'a', start() {} })" })
  const error = await refusal(t, configure(root, { target: 'xen', address: { ipv4: '10.0.0.2/24' } }))
  t.is(error.message, 'a has no network on target xen: there is nothing to give an address to')
  t.is(error.where, '--ipv4')
  const typo = await refusal(t, configure(siteFolder(t), { args: ['--greting=Hi'] }))
  t.is(typo.message, 'unknown argument --greting=Hi; did you mean --greeting?')
})
