#!/usr/bin/env node
import { Command, InvalidArgumentError } from 'commander'

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

const program = new Command('xen-ts')
  .description('TypeScript programs as Xen unikernels, at home in Qubes OS')
  .version('0.1.0')
  .showHelpAfterError('(xen-ts --help, or xen-ts COMMAND --help, lists the options)')

program
  .command('build')
  .description('build a program into one .xen file, or (target unix) one .js file for Node')
  .argument('[app]', 'a TypeScript or JavaScript file, or a folder with one', '.')
  .option('-t, --target <name>', 'a target, or the path of a module that exports one (default: what package.json says, else xen)')
  .option('-o, --output <file>', 'the image (default: NAME.xen), or the script (NAME.js)')
  .option('--json', 'print the report as JSON')
  .action(async (app, options) => (await import('./build/command.ts')).buildCommand(app, options))

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
  .description('run a program under Node, and anew whenever one of its files changes; pages in browsers are loaded anew')
  .argument('[app]', 'a TypeScript or JavaScript file, or a folder with one (default: ".")')
  .argument('[args...]', "the program's own arguments, after --")
  .option('-p, --port <port>', 'port on localhost that leads to the program; 0 is any that is free (default: the first from 8080 on)', port)
  .option('--no-reload', 'leave pages in browsers alone')
  .action(async (app, args, options) => {
    const words = app === undefined ? args : [app, ...args]
    process.exitCode = await (await import('./dev/command.ts')).devCommand(words, process.argv, options)
  })

program
  .command('check')
  .description('show what a program is made of: sizes, memory, devices, what runs before the first request, globals, modules of Node')
  .argument('[app]', 'a TypeScript or JavaScript file, or a folder with one', '.')
  .option('-t, --target <name>', 'a target, or the path of a module that exports one (default: what package.json says, else xen)')
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
  .action(async (vm, options) => (await import('./qubes/command.ts')).setupCommand(vm, options))

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
