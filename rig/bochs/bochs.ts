import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { RigFiles } from '../xen/dom0.ts'
import type { Machine, MachineOptions } from '../xen/machine.ts'
import type { Log } from '../xen/run.ts'
import { type BochsFiles, ensureBochs } from './build.ts'
import { ensureDisk } from './disk.ts'

/** Of dom0: what its daemons, the images and a saved domain take. */
const dom0MemoryMiB = 640

// apicv: where the CPU model has virtual interrupt delivery (corei7_skylake_x), guests crash by it. Scrubbing memory that nobody has
// used takes long here.
const xenOptions = [
  `dom0_mem=${dom0MemoryMiB}M,max:${dom0MemoryMiB}M dom0_max_vcpus=1 console=com1 com1=115200,8n1`,
  'apicv=0 spec-ctrl=no bootscrub=0 sched=credit guest_loglvl=all',
].join(' ')

/** Has VMX with EPT, VPID and unrestricted guests, RDSEED, and no SVM. */
const cpuModel = 'broadwell_ult'

/**
 * Instructions per second of the emulated clock; also the frequency of its TSC. Time in the machine is counted by instructions, and
 * passes many times faster while the CPU is halted.
 */
const instructionsPerSecond = 200_000_000

/** What has to be there before a machine can start; the first time takes minutes. */
export async function prepareBochs(files: RigFiles, cache: string, log: Log): Promise<BochsMachineFiles> {
  const bochs = await ensureBochs(cache, log)
  return { ...bochs, disk: await ensureDisk(files, { xenOptions, modules: ['e1000'], cache, log }) }
}

interface BochsMachineFiles extends BochsFiles {
  disk: string
}

/** Bochs running Xen on an Intel CPU with VMX and EPT, as a child that cannot outlive this process. */
export class Bochs implements Machine {
  readonly exited: Promise<void>
  readonly guestCpus = 'all'
  readonly patience = 6
  readonly #child: ChildProcess
  readonly #shellPort: number
  #ended = false

  private constructor(child: ChildProcess, folder: string, serial: Server, shellPort: number, { seconds, onLine }: MachineOptions) {
    this.#child = child
    this.#shellPort = shellPort
    const limit = seconds === Infinity ? undefined : setTimeout(() => this.kill(), seconds * 1000)
    limit?.unref()
    const killAtExit = () => {
      this.kill()
      rmSync(folder, { recursive: true, force: true })
    }
    process.once('exit', killAtExit)
    this.exited = new Promise(resolve => {
      const ended = () => {
        if (this.#ended) return
        this.#ended = true
        clearTimeout(limit)
        process.off('exit', killAtExit)
        serial.close()
        for (const line of lastMessages(join(folder, 'log'))) onLine(`bochs: ${line}`)
        rmSync(folder, { recursive: true, force: true })
        resolve()
      }
      child.once('close', ended).once('error', ended)
    })
    for (const stream of [child.stdout!, child.stderr!]) stream.resume()
    serial.once('connection', socket => {
      socket.on('error', () => {})
      createInterface({ input: socket }).on('line', line => onLine(line.trimEnd()))
    })
  }

  static async start(files: BochsMachineFiles, options: MachineOptions): Promise<Bochs> {
    const folder = mkdtempSync(join(tmpdir(), 'xen-ts-bochs-'))
    const serial = createServer()
    const serialPort = await listen(serial)
    const shellPort = await freePort()
    // Bochs leaves a lock beside the image: the link keeps that in this machine's own folder.
    symlinkSync(files.disk, join(folder, 'disk.img'))
    writeFileSync(join(folder, 'network'), `# slirp config\nhostfwd=tcp:127.0.0.1:${shellPort}-10.0.2.15:1\n`)
    writeFileSync(join(folder, 'bochsrc'), configuration(files, options.memoryMiB, serialPort))
    const args = ['--pdeathsig', 'KILL', files.program, '-q', '-f', 'bochsrc']
    const child = spawn('setpriv', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    return new Bochs(child, folder, serial, shellPort, options)
  }

  shellPort(): Promise<number> {
    return Promise.resolve(this.#shellPort)
  }

  kill(): void {
    if (!this.#ended) this.#child.kill('SIGKILL')
  }
}

/** In the language of bochsrc(5). Paths are of the machine's folder. */
function configuration({ bios, vgaBios }: BochsFiles, memoryMiB: number, serialPort: number): string {
  return [
    'config_interface: textconfig',
    'display_library: nogui',
    `memory: guest=${memoryMiB}, host=${memoryMiB}`,
    `cpu: model=${cpuModel}, count=1, ips=${instructionsPerSecond}, reset_on_triple_fault=0, ignore_bad_msrs=1`,
    `romimage: file="${bios}"`,
    `vgaromimage: file="${vgaBios}"`,
    'vga: extension=none, update_freq=1',
    'boot: disk',
    'ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14',
    'ata0-master: type=disk, mode=flat, path=disk.img, cylinders=0',
    'ata1: enabled=0',
    'pci: enabled=1, chipset=i440fx, slot1=e1000',
    'e1000: enabled=1, mac=52:54:00:12:34:56, ethmod=slirp, script=network',
    `com1: enabled=1, mode=socket-client, dev=127.0.0.1:${serialPort}`,
    'clock: sync=none, time0=utc',
    'panic: action=fatal',
    // Each register that Xen and Linux try, and that is not there, would be one.
    'error: action=report, cpu0=ignore',
    'info: action=ignore',
    'debug: action=ignore',
    'log: log',
    '',
  ].join('\n')
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** One that nobody listens at now. Bochs has no way to pick one by itself. */
async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Of a log that may be long. */
function lastMessages(log: string): string[] {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-10)
  } catch {
    return []
  }
}
