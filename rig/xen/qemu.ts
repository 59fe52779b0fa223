import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { RigFiles } from './dom0.ts'
import { RigError } from './errors.ts'
import { dom0Options, type Machine, type MachineOptions } from './machine.ts'

/** Of dom0: enough for its daemons and the images it is given. */
const dom0MemoryMiB = 1024

// Without max: dom0 would set up tables for all of the machine's memory.
const xenOptions = `dom0_mem=${dom0MemoryMiB}M,max:${dom0MemoryMiB}M dom0_max_vcpus=1 dom0_vcpus_pin console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all sched=credit`

/** QEMU running Xen, as a child that cannot outlive this process. */
export class Qemu implements Machine {
  readonly exited: Promise<void>
  // dom0 has the first CPU for itself, so that neither slows the other.
  readonly guestCpus = 'all,^0'
  readonly patience = 1
  readonly #child: ChildProcess
  readonly #monitor: Socket
  readonly #replies: ((reply: Record<string, unknown>) => void)[] = []
  #ended = false

  constructor(files: RigFiles, { memoryMiB, seconds, onLine }: MachineOptions) {
    // setpriv asks the kernel to kill QEMU when the thread that started it ends, even by SIGKILL.
    const args = [
      '--pdeathsig',
      'KILL',
      'qemu-system-x86_64',
      '-nodefaults',
      '-display',
      'none',
      '-no-reboot',
      '-no-user-config',
      // Software emulation: it has the SVM and nested paging that PVH guests need, on every machine. RDSEED it does not have.
      '-accel',
      'tcg,thread=multi,tb-size=512',
      '-cpu',
      'qemu64,+svm,+npt,+rdrand,+ssse3,+sse4_1,+sse4_2,+popcnt',
      '-smp',
      '2',
      '-m',
      String(memoryMiB),
      '-serial',
      'stdio',
      '-chardev',
      'socket,id=monitor,fd=3',
      '-mon',
      'chardev=monitor,mode=control',
      '-netdev',
      'user,id=net,hostfwd=tcp:127.0.0.1:0-10.0.2.15:1',
      '-device',
      'virtio-net-pci,netdev=net,romfile=',
      '-kernel',
      'xen',
      '-append',
      xenOptions,
      '-initrd',
      `vmlinux ${dom0Options},dom0.img`,
    ]
    // In a group of its own: Ctrl-C at the terminal is for who uses the machine, and would end it before any guest has.
    this.#child = spawn('setpriv', args, { cwd: files.folder, stdio: ['ignore', 'pipe', 'pipe', 'pipe'], detached: true })
    const limit = seconds === Infinity ? undefined : setTimeout(() => this.kill(), seconds * 1000)
    limit?.unref()
    const killAtExit = () => this.kill()
    process.once('exit', killAtExit)
    this.exited = new Promise(resolve => {
      const ended = () => {
        this.#ended = true
        clearTimeout(limit)
        process.off('exit', killAtExit)
        for (const reply of this.#replies.splice(0)) reply({ error: { desc: 'QEMU has ended' } })
        resolve()
      }
      this.#child.once('close', ended).once('error', ended)
    })
    createInterface({ input: this.#child.stdout! }).on('line', line => onLine(line.trimEnd()))
    createInterface({ input: this.#child.stderr! }).on('line', line => onLine(`qemu: ${line}`))

    this.#monitor = this.#child.stdio[3] as Socket
    this.#monitor.on('error', () => {})
    createInterface({ input: this.#monitor })
      .on('error', () => {})
      .on('line', line => {
        const message = JSON.parse(line) as Record<string, unknown>
        if ('return' in message || 'error' in message) this.#replies.shift()?.(message)
      })
    void this.#execute({ execute: 'qmp_capabilities' }).catch(() => {})
  }

  /** Runs a command of QEMU's monitor, as a person would type it, and gives what it prints. */
  async command(line: string): Promise<string> {
    return String(await this.#execute({ execute: 'human-monitor-command', arguments: { 'command-line': line } }))
  }

  shellPort(): Promise<number> {
    return this.forwardedPort('10.0.2.15', 1)
  }

  async gdb(port: number): Promise<void> {
    await this.command(`gdbserver tcp:127.0.0.1:${port}`)
  }

  async forward(hostPort: number, address: string, port: number): Promise<number> {
    const complaint = await this.command(`hostfwd_add net tcp:127.0.0.1:${hostPort}-${address}:${port}`)
    if (complaint.trim()) {
      throw new RigError(
        `Port ${hostPort} of the host cannot be forwarded to ${address}:${port}`,
        complaint,
        'Choose a port that is free, or 0.',
      )
    }
    return this.forwardedPort(address, port)
  }

  /** The host's port that is forwarded to an address, as QEMU tells it. The newest, if there are several. */
  async forwardedPort(address: string, port: number): Promise<number> {
    // Columns: protocol[state], file descriptor, source address, source port, destination address, destination port.
    const table = await this.command('info usernet')
    const rows = table.split('\n').map(row => row.trim().split(/\s+/))
    const row = rows.findLast(([kind, , , , to, toPort]) => kind === 'TCP[HOST_FORWARD]' && to === address && toPort === String(port))
    if (!row) throw new RigError(`QEMU does not list the forward to ${address}:${port}`, table)
    return Number(row[3])
  }

  kill(): void {
    if (!this.#ended) this.#child.kill('SIGKILL')
  }

  #execute(message: object): Promise<unknown> {
    if (this.#ended) return Promise.reject(new RigError('QEMU has ended'))
    return new Promise((resolve, reject) => {
      this.#replies.push(reply => {
        if ('error' in reply)
          reject(new RigError(`QEMU refused a command: ${(reply.error as { desc: string }).desc}`, JSON.stringify(message)))
        else resolve(reply.return)
      })
      this.#monitor.write(`${JSON.stringify(message)}\n`)
    })
  }
}
