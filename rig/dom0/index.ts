/** The miniature Qubes dom0: the other side of the agents. It shares no code with them. */
export { GuiDaemon, type GuiDaemonOptions, words } from './gui.ts'
export { DaemonWindow, type ImageReader, type MappedImage } from './gui-window.ts'
export { Hub } from './hub.ts'
export { type QubeProperties, qubesKeys } from './keys.ts'
export { type TestMachine, testMachine } from './machine.ts'
export { MiniQubes, type MiniQubesOptions } from './mini-qubes.ts'
export { encodePng } from './png.ts'
export { PolicySyntaxError, parsePolicy } from './policy.ts'
export {
  type CallOptions,
  type CallResult,
  type Decision,
  type Policy,
  QrexecDaemon,
  type QrexecDaemonOptions,
  type Request,
} from './qrexec.ts'
export { hello, message } from './qrexec-frames.ts'
export { DaemonDied, QubesDBDaemon, type QubesDBDaemonOptions } from './qubesdb.ts'
export { type Dom0Service, type PolicyOptions, policyOf } from './services.ts'
