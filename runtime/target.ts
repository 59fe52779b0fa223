/** What a target implements: qubes, xen, unix. A program never imports one; the tool puts it into the generated main.ts. */
import type { ArgTable, ArgValues } from './args.ts'
import type { Device, DeviceContext, Devices } from './device.ts'

export interface Target<A extends ArgTable = any> {
  /** `qubes`, `xen`, `unix`. */
  readonly name: string
  /** The device kinds it has: `stack`, `http`, ... by the name in the description. */
  readonly provide: Readonly<Record<string, Provider>>
  /** Arguments the target itself understands, beside the program's. */
  readonly args?: A
  /**
   * Connects what the platform demands (shutdown watch, agents), before any device of the program. Must not wait for a peer that may never
   * come. What it registers with `lifecycle.onShutdown` is closed last.
   */
  before?(context: TargetContext<A>): void | Promise<void>
  /** Further values for the program's arguments (QubesDB /vm-config). The command line wins over them. */
  settings?(context: TargetContext<A>): ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>>
  /** `start` was called and has run up to its first await: what a program offers from the beginning is there. */
  started?(): void
}

export interface Provider {
  /** Devices this target's version needs beside those of the description; connected first. */
  readonly needs?: Devices
  /** May be async; [Symbol.asyncDispose] or [Symbol.dispose] of the result is called at the end. */
  connect(needs: any, options: any, context: DeviceContext): unknown
}

export interface TargetContext<A extends ArgTable = any> extends DeviceContext {
  readonly args: ArgValues<A>
  readonly program: { readonly name: string; readonly version: string | undefined }
  /** Connects a device (once: the program's devices share it) and returns it. */
  use<T>(device: Device<T>): Promise<T>
}
