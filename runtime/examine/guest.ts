/** The entry of a bundle that examines a program in the guest's engine, under Node: leaves what was found, as JSON, in `__examined`. */
import '../web/symbols.ts'
import '../web/error-stack.ts'
import type { Abi } from '@xen-ts/boot/abi'
import { installGlobals, installLazily } from '../globals.ts'
import { LogWriter } from '../log.ts'
import { Loop } from '../loop.ts'
import type { XenMachine } from '../machine.ts'
import { Suspension } from '../suspension.ts'
import { type ExamineOptions, examine } from './examine.ts'

/** @param globals names of what the target has: there, but of no use. Timers can be set while the module is evaluated; none fires. */
export function examineGuest(
  options: ExamineOptions,
  globals: readonly string[],
  scope: { __abi?: Abi; __examined?: string } = globalThis as {},
): void {
  const abi = scope.__abi!
  const loop = new Loop(abi)
  const logs = new LogWriter({ write: text => abi.consoleWrite(text), now: () => abi.clockWall() })
  const suspension = new Suspension(abi, loop, logs.log('suspend'))
  const machine: XenMachine = { abi, ports: loop, timers: loop, suspension, log: source => logs.log(source) }
  installGlobals(scope, machine, logs, options.name)
  // A function that can be a class too (with new.target it stays one in a bundle): a program may extend WebSocket.
  const absent = (name: string) =>
    function () {
      throw new Error(
        `${name}: nothing is connected while a program is examined; ${new.target === undefined ? 'call' : 'make'} it from start()`,
      )
    }
  installLazily(scope, Object.fromEntries(globals.map(name => [name, () => absent(name)])))
  void examine(options).then(found => {
    scope.__examined = JSON.stringify(found)
  })
}
