#!/usr/bin/env node
import { Command, InvalidArgumentError, Option } from 'commander'
import manifest from './package.json' with { type: 'json' }

const mebibytes = (text: string) => {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number of MiB above 0.')
  return value
}

/** What timers can count, in ms. */
const LONGEST = 2 ** 31 - 1

const seconds = (text: string) => {
  const value = Number(text)
  if (!(value > 0 && value * 1000 <= LONGEST))
    throw new InvalidArgumentError(`It must be a number of seconds above 0, at most ${Math.floor(LONGEST / 1000)}.`)
  return value
}

const port = (text: string) => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0 || value > 65535)
    throw new InvalidArgumentError('It must be a port from 1 to 65535, or 0 for any that is free.')
  return value
}

const several = (text: string, before: string[] = []) => [...before, text]

/** Where the addresses come from: of configure and build. */
const withAddress = (command: Command): Command =>
  command
    .addOption(
      new Option('--net <kind>', "what the network stands on: the host's sockets, or a network device").choices(['socket', 'direct']),
    )
    .option('--tap <device>', 'target unix, --net direct: the device of the host that it stands on')
    .option('--dhcp', 'address, router and name servers from a DHCP server')
    .option('--ipv4 <address/bits>', 'a static address')
    .option('--ipv4-gateway <address>', 'its router')
    .option('--ipv6 <address/bits>', 'a static address of IPv6')
    .option('--ipv6-gateway <address>', 'its router')
    .option('--dns <address>', 'a name server; may be repeated', several)

/** Program and arguments: what stands after `--` is the program's own, also where no program is named. */
function operands(command: Command): { app: string; args: string[] } {
  const dashes = process.argv.indexOf('--')
  const args = dashes < 0 ? [] : process.argv.slice(dashes + 1)
  const [app = '.', ...others] = command.args.slice(0, command.args.length - args.length)
  if (others.length > 0) command.error(`error: there is one program at a time; arguments of its own stand after --: ${others.join(' ')}`)
  return { app, args }
}

/** Options of the command, with those of the address in one. */
const given = ({ net, tap, dhcp, ipv4, ipv4Gateway, ipv6, ipv6Gateway, dns, ...others }: any, args: readonly string[]) => ({
  ...others,
  address: { net, tap, dhcp, ipv4, ipv4Gateway, ipv6, ipv6Gateway, dns },
  args,
})

const TARGET = 'a target, or the path of a module that exports one'
const NATIVE = 'images: how much becomes machine code: auto, all, none, or what it may take (300K); default: none'
const APP = 'a TypeScript or JavaScript file, or a folder with one'

const program = new Command('xen-ts')
  .description('TypeScript programs as Xen unikernels, at home in Qubes OS')
  .version(manifest.version)
  .showHelpAfterError('(xen-ts --help, or xen-ts COMMAND --help, lists the options)')

withAddress(
  program
    .command('configure')
    .description('write main.ts beside a program: its devices on a target, and where the addresses come from')
    .argument('[app]', APP, '.')
    .argument('[args...]', "defaults for the program's own arguments, after --")
    .option('-t, --target <name>', `${TARGET} (default: what main.ts or package.json says, else xen)`),
).action(async (_app, _args, options, command) => {
  const { app, args } = operands(command)
  await (await import('./build/configure.ts')).configureCommand(app, given(options, args))
})

program
  .command('describe')
  .description('print the devices of a program on a target, and its arguments; its top level runs, nothing is connected')
  .argument('[app]', APP, '.')
  .option('-t, --target <name>', `${TARGET} (default: what main.ts or package.json says, else xen)`)
  .option('--dot', 'as a graph for Graphviz')
  .option('--json', 'as JSON')
  .option('--svg', 'as a picture (needs @viz-js/viz)')
  .action(async (app, options) => {
    process.stdout.write(await (await import('./build/describe.ts')).describeProgram(app, options))
  })

program
  .command('clean')
  .description('remove the main.ts that configure has written')
  .argument('[app]', 'the folder of the program, or its file', '.')
  .action(async app => (await import('./build/main-file.ts')).cleanCommand(app))

withAddress(
  program
    .command('build')
    .description('build a program into one .xen file, or (target unix) one .js file for Node')
    .argument('[app]', APP, '.')
    .argument('[args...]', "defaults for the program's own arguments, after --")
    .option('-t, --target <name>', `${TARGET} (default: what main.ts or package.json says, else xen)`)
    .option('-o, --output <file>', 'the image (default: NAME.xen), or the script (NAME.js)')
    .option('--native <which>', NATIVE)
    .option('--json', 'print the report as JSON'),
).action(async (_app, _args, options, command) => {
  const { app, args } = operands(command)
  // Both take a while to start, on the other processors: before anything is loaded that says whether there is something to build.
  if (options.target !== 'unix') void import('@xen-ts/boot/start').then(({ startEngine }) => startEngine())
  void import('./build/bundler.ts')
  const begun = (await import('./build/begin.ts')).beginBuild(app, options.target)
  await (await import('./build/command.ts')).buildCommand(app, given(options, args), begun)
})

program
  .command('run')
  .description('boot an image on emulated Xen and show its console')
  .argument('<image>', 'a .xen file')
  .argument('[args...]', "the program's own arguments, after --")
  .option('-m, --memory <MiB>', 'memory of the domain (default: what the image needs, at least 32)', mebibytes)
  .option('--maxmem <MiB>', 'the maximum that the memory map shows', mebibytes)
  .option('--timeout <seconds>', 'destroy the domain after this time and exit with 124', seconds)
  .option(
    '-p, --port <port>',
    'port on localhost that leads to port 80 of the program; 0 is any that is free (default: the first from 8080 on)',
    port,
  )
  .addOption(
    new Option(
      '--xen <version>',
      "which Xen to emulate, with the Linux of Debian 11, 12 or 13 (default: that of the host's release)",
    ).choices(['4.14', '4.17', '4.20']),
  )
  .option('--qubes', 'start the daemons of a Qubes dom0 beside it (always done for images of target qubes)')
  .option('--qdb <KEY=VALUE>', 'a key of QubesDB, such as /vm-config/greeting=Hi; may be repeated', several)
  .option(
    '--call <[user:]service[+argument]>',
    'call a service of the qube from dom0, with the input of this command; may be repeated',
    several,
  )
  .option(
    '--dom0 <script>',
    'run a shell script in dom0 once the program has logged something, or 5 s after its start; $DOMID is its domain',
  )
  .option('--exit', 'shut the program down after the last call, or after the script')
  .option('--policy <file>', "qrexec policy for the qube's own calls (default: what a fresh Qubes allows)")
  .option('--pcap <file>', 'capture the packets of the network device into a file for Wireshark (pcapng)')
  .option('--stats', 'show what the network stack has counted: at the end, and at SIGUSR2')
  .option('--screenshots <folder>', 'save a PNG of each window, anew when it has changed')
  .option('--json', 'print console lines and the result as JSON, one object a line')
  .action(async (image, args, options) => {
    process.exitCode = await (await import('./run/command.ts')).runCommand(image, args, options)
  })

program
  .command('dev')
  .description(
    'run a program under Node, or on the emulated Xen, and anew whenever one of its files changes; pages in browsers are loaded anew',
  )
  .argument('[app]', 'a TypeScript or JavaScript file, or a folder with one (default: ".")')
  .argument('[args...]', "the program's own arguments, after --")
  .option('-p, --port <port>', 'port on localhost that leads to the program; 0 is any that is free (default: the first from 8080 on)', port)
  .option('--no-reload', 'leave pages in browsers alone')
  .option('--xen', 'on the emulated Xen in the place of Node: the image is built anew, and its domain replaced')
  .option('-t, --target <name>', `with --xen: ${TARGET} (default: what main.ts or package.json says, else xen)`)
  .option('-m, --memory <MiB>', 'with --xen: memory of the domain (default: what the image needs, at least 32)', mebibytes)
  .option('--native <which>', `with --xen, ${NATIVE}`)
  .action(async (app, args, options) => {
    const words = app === undefined ? args : [app, ...args]
    process.exitCode = await (await import('./dev/command.ts')).devCommand(words, process.argv, options)
  })

program
  .command('check')
  .description('show what a program is made of: sizes, memory, devices, what runs before the first request, globals, modules of Node')
  .argument('[app]', 'a TypeScript or JavaScript file, or a folder with one', '.')
  .option('-t, --target <name>', 'a target, or the path of a module that exports one (default: what package.json says, else xen)')
  .option('--native <which>', NATIVE)
  .option('--html <file>', 'write a page with all of it as well')
  .option('--json', 'print it as JSON')
  .action(async (app, options) => (await import('./check/command.ts')).checkCommand(app, options))

program
  .command('deploy')
  .description('inside Qubes OS: give a qube a new image by way of dom0, boot it and show its console')
  .argument('<image>', 'a .xen file of target qubes')
  .argument('<vm>', 'the qube; xen-ts qubes setup VM prints what makes one')
  .option('--service <name>', 'the service of dom0; that of test-mirage is talex5.TestMirage', 'xen-ts.Deploy')
  .option('--no-console', 'end once the qube boots')
  .action(async (image, vm, options) => {
    process.exitCode = await (await import('./deploy/command.ts')).deployCommand(image, vm, options)
  })

program
  .command('qubes')
  .description('for Qubes OS')
  .command('setup')
  .description('print a script for dom0 that makes a qube for images, and the service that takes them from this qube')
  .argument('<vm>', 'the qube')
  .option('--from <qube>', 'the qube that will send images (default: this one)')
  .option('--netvm <qube>', 'where its network comes from, or none', 'sys-firewall')
  .option('-m, --memory <MiB>', 'its memory', mebibytes, 32)
  .option('--label <colour>', 'its label', 'green')
  .option('--salt', 'print a state of Salt instead')
  .action(async (vm, options) => (await import('./qubes/command.ts')).setupCommand(vm, process.argv.slice(2), options))

// Whoever read the output has gone, as `head` does: nobody is left to tell. The code is that of a shell for SIGPIPE.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(141)
  })
}

try {
  await program.parseAsync()
} catch (error) {
  console.error((await import('./errors.ts')).describeError(error))
  process.exitCode = 1
}
