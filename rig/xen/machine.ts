/** What the rig needs of an emulator that runs Xen: QEMU (qemu.ts) or Bochs (../bochs). */
export interface Machine {
  /** Resolves when the emulator has ended, for whatever reason. */
  readonly exited: Promise<void>
  /** The CPUs that guests may use, as xl's configuration names them. */
  readonly guestCpus: string
  /** How many times longer than on QEMU everything may take until it counts as stuck. */
  readonly patience: number
  /** The TCP port of the host, on 127.0.0.1, that leads to the shells of dom0. */
  shellPort(): Promise<number>
  /**
   * Forwards a TCP port of the host (on 127.0.0.1) to an address behind the machine. Without it, the rig goes through dom0.
   * @param hostPort 0 picks a free one
   * @returns the port on the host
   */
  forward?(hostPort: number, address: string, port: number): Promise<number>
  /** Lets gdb attach to the whole machine, at a TCP port of the host. */
  gdb?(port: number): Promise<void>
  kill(): void
}

export interface MachineOptions {
  /** Memory of the whole machine, in MiB. */
  memoryMiB: number
  /** Hard limit: after this many seconds the emulator is killed; Infinity for none. */
  seconds: number
  /** Gets each line of the serial port: Xen's log and dom0's console. */
  onLine: (line: string) => void
}

/** For dom0's kernel. There is nothing to mitigate in an emulated CPU, and less to patch at the start. */
export const dom0Options = 'console=hvc0 quiet mitigations=off tsc=reliable random.trust_cpu=on'
