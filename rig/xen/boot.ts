// node rig/xen/boot.ts IMAGE [options] [-- COMMAND LINE]: boots an image on the rig, with its console on standard output.
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { RigError } from './errors.ts'
import { Rig } from './rig.ts'

const usage = `usage: node rig/xen/boot.ts IMAGE [options] [-- COMMAND LINE]
  --xen VERSION      4.14, 4.17 or 4.20, with the Linux of Debian 11, 12 or 13 (the host's own)
  --memory MIB       memory of the guest (32)
  --maxmem MIB       its limit, when above its memory
  --vcpus N          1
  --ramdisk FILE     an initramfs
  --ip ADDRESS       gives it a network interface with this address, routed by dom0 (gateway 10.137.0.1)
  --forward H:G      port H of the host (0: any) leads to port G of the guest; needs --ip; may be repeated
  --timeout SECONDS  destroys the guest after this long (60)
  --machine MIB      memory of the whole machine (3072; of an Intel one 1280)
  --intel            runs it on an Intel CPU, emulated by Bochs, which is slower
  --gdb PORT         lets gdb attach at this port of the host, and starts the guest when Enter is pressed
  --dmesg            prints the end of Xen's log afterwards
  --verbose          prints Xen's log and dom0's console to standard error
Exit code: 0 when the guest powered off, 1 when it ended otherwise, 2 when it could not be started, 124 after the timeout.`

/** Of an option, before anything starts. */
function number(option: string, text: string): number {
  const value = Number(text)
  if (!(value > 0) || value > 1e6)
    throw new RigError(`--${option} is to be a number above 0, up to a million`, `--${option} ${text}`, 'See --help.')
  return value
}

async function main(): Promise<number> {
  const split = process.argv.indexOf('--')
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2, split < 0 ? undefined : split),
    allowPositionals: true,
    options: {
      xen: { type: 'string' },
      memory: { type: 'string', default: '32' },
      maxmem: { type: 'string' },
      vcpus: { type: 'string', default: '1' },
      ramdisk: { type: 'string' },
      ip: { type: 'string' },
      forward: { type: 'string', multiple: true, default: [] },
      timeout: { type: 'string', default: '60' },
      machine: { type: 'string' },
      intel: { type: 'boolean' },
      gdb: { type: 'string' },
      dmesg: { type: 'boolean' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help || positionals.length !== 1) {
    console.error(usage)
    return values.help ? 0 : 2
  }
  const [memory, vcpus, timeout] = (['memory', 'vcpus', 'timeout'] as const).map(option => number(option, values[option])) as [
    number,
    number,
    number,
  ]
  const memoryMiB = values.machine === undefined ? undefined : number('machine', values.machine)
  const gdb = values.gdb === undefined ? undefined : number('gdb', values.gdb)
  const maxmem = values.maxmem === undefined ? undefined : number('maxmem', values.maxmem)
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new RigError(`stopped by ${signal}`)))
  const rig = await Rig.start({
    xen: values.xen,
    processor: values.intel ? 'intel' : 'amd',
    memoryMiB,
    signal: stop.signal,
    onLog: values.verbose ? line => process.stderr.write(`${line}\n`) : undefined,
  })
  try {
    const domain = await rig.createDomain({
      name: 'guest',
      kernel: positionals[0]!,
      ramdisk: values.ramdisk,
      memory,
      maxmem,
      vcpus,
      cmdline: split < 0 ? '' : process.argv.slice(split + 1).join(' '),
      vif: values.ip ? { ip: values.ip } : undefined,
      paused: true,
    })
    for (const pair of values.forward) {
      const [hostPort, port] = pair.split(':').map(Number) as [number, number]
      console.error(`forward: http://127.0.0.1:${await rig.forward(hostPort, values.ip ?? '', port)}/ leads to port ${port}`)
    }
    if (gdb !== undefined) {
      await rig.gdb(gdb)
      console.error(`gdb: target remote 127.0.0.1:${gdb}; Enter starts the guest`)
      await once(process.stdin, 'data')
      process.stdin.pause()
    }
    const printed = (async () => {
      for await (const text of domain.console) process.stdout.write(text as string)
    })().catch(() => {})
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      void domain.destroy()
    }, timeout * 1000)
    await domain.unpause()
    const end = await Promise.race([domain.wait(), rig.exited.then(() => ({ reason: 'the machine stopped', code: -1 }))])
    clearTimeout(timer)
    await Promise.race([printed, rig.exited])
    console.error(timedOut ? `guest: no end within ${timeout} s, destroyed` : `guest: ${end.reason} (${end.code})`)
    if (values.dmesg) console.error(await rig.must('xl dmesg | tail -40'))
    return timedOut ? 124 : end.reason === 'poweroff' ? 0 : 1
  } finally {
    await rig.stop()
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  const isUsage = (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')
  console.error(error instanceof RigError ? `error: ${error.message}` : isUsage ? `error: ${(error as Error).message}\n${usage}` : error)
  process.exitCode = 2
}
