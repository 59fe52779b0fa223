/** What a target implements: qubes, xen, unix. A program never imports one; the tool puts it into the generated main.ts. */
import type { ArgTable, ArgValues } from './args.ts'
import type { Device, DeviceContext, Devices } from './device.ts'
import type { ProgramLog } from './log.ts'
import type { Machine, XenMachine } from './machine.ts'

/** The machine of what a target becomes: `image` is a `.xen`, the kernel of a domain; `process` is one under Node. */
interface Machines {
  image: XenMachine
  process: Machine
}
export type Becomes = keyof Machines

/** What is known of a target without connecting anything: the tool reads it, and a program's devices are checked against it. */
export interface Target {
  /** `qubes`, `xen`, `unix`. */
  readonly name: string
  readonly becomes: Becomes
  /** Arguments the target itself understands, beside the program's. */
  readonly args?: ArgTable
  /**
   * The device kinds it provides (`stack`, `http`, ... by the name in the description), each with the devices that this target's version
   * needs beside those of the description; they are connected first.
   */
  readonly kinds: Readonly<Record<string, Devices>>
  /**
   * What the module with `connect` can put on globalThis, such as `fetch`: for each name it exports a Global of that name. An image has
   * those that its program, or one of its packages, uses by their names.
   */
  readonly globals?: readonly string[]
  /** Device kinds that `connect` itself uses (TargetContext.use): an image has what they need, whatever its program describes. */
  readonly uses?: readonly string[]
  /** What its platform demands, and `connect` sees to before any device of the program: in words, for `describe` and `configure`. */
  readonly adds?: readonly string[]
  /**
   * What its network stack stands on: our own stack on a network device (`direct`), or sockets of the host (`socket`); and who says what the
   * addresses are: `arguments`, or in words who else. `device`: the argument that names a device of the host, for a stack that stands on it
   * instead, with addresses of the arguments.
   */
  readonly network?: { readonly net: 'direct' | 'socket'; readonly address: string; readonly device?: string }
  /**
   * Throws an error for values of `args` that cannot go together: called at configure and build, in Node, with what is known by then.
   * What is missing may still be given at boot.
   */
  check?(args: any): void
}

/** Makes a property of globalThis when a program uses it first, which may be before anything is connected; what the program sets wins. */
export type Global = (context: GlobalContext) => unknown

export interface GlobalContext extends Pick<TargetContext, 'machine' | 'lifecycle'> {
  /** As in TargetContext, once `connect` has returned. */
  use<T>(device: Device<T>): Promise<T>
}

type ArgsOf<T extends Target> = T extends { readonly args: infer A extends ArgTable } ? A : {}

/**
 * The other half of a target, the export `connect` beside `target`. Connects what the platform demands (shutdown watch, agents), before
 * any device of the program. Called once. Must not wait for a peer that may never come. What it registers with `lifecycle.onShutdown`
 * is closed last.
 */
export type Connect<T extends Target = any> = (
  context: TargetContext<ArgsOf<T>, Machines[T['becomes']]>,
) => Platform<keyof T['kinds'] & string> | Promise<Platform<keyof T['kinds'] & string>>

/** A connected target. */
export interface Platform<K extends string = any> {
  /** By device kind. */
  readonly provide: Readonly<Record<K, Provider>>
  /** Further values for the program's arguments (QubesDB /vm-config). The command line wins over them. */
  settings?(): ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>>
  /** `start` was called and has run up to its first await: what a program offers from the beginning is there. */
  started?(): void
  /** What the platform adds to globalThis in every image (Target.globals: in some): made when a program uses it first, and what the program sets wins. */
  readonly globals?: Readonly<Record<string, () => unknown>>
}

/**
 * Connects a device of a kind. May be async; [Symbol.asyncDispose] or [Symbol.dispose] of the result is called at the end.
 * @param needs the connected devices of the description and of the target's `kinds`, by their names there
 */
export type Provider = (needs: any, options: any, context: DeviceContext) => unknown

export interface TargetContext<A extends ArgTable = any, M extends Machine = Machine> extends DeviceContext {
  readonly machine: M
  readonly args: ArgValues<A>
  /** Named after the target; shows what all others say. */
  readonly log: ProgramLog
  readonly program: { readonly name: string; readonly version: string | undefined }
  /** Names of the devices that the program describes, and of all that these need: of the target's own they are the kinds. */
  readonly kinds: ReadonlySet<string>
  /** Connects a device (once: the program's devices share it) and returns it. To be called after `connect` has returned. */
  use<T>(device: Device<T>): Promise<T>
}

/** By kind, the other targets that provide a device which this one lacks: for the message that refuses it. */
export type Elsewhere = Readonly<Record<string, readonly string[]>>

/** See Elsewhere. Derived by the tool, which knows all targets; an image knows only its own. */
export function elsewhere(target: Target, all: readonly Target[]): Elsewhere {
  const result: Record<string, string[]> = {}
  for (const other of all) {
    for (const kind of Object.keys(other.kinds)) {
      if (!Object.hasOwn(target.kinds, kind) && other.name !== target.name) (result[kind] ??= []).push(other.name)
    }
  }
  for (const names of Object.values(result)) names.sort()
  return result
}
