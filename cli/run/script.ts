/**
 * A shell script in dom0 beside the program, so that drivers have somebody to talk to: `--dom0 'vchan-load client $DOMID 5000 say
 * hello'`.
 */
import type { Rig } from '@xen-ts/rig/xen'
import { lineSplitter } from './lines.ts'

export interface ScriptEvents {
  /** A line that the script wrote; they come when it has ended. */
  onScriptOutput(stream: 'stdout' | 'stderr', line: string): void
  onScriptEnd(code: number): void
}

/** Runs it to its end, with DOMID set. Gives its exit code. */
export async function runScript(
  rig: Pick<Rig, 'exec'>,
  domid: number,
  script: string,
  { onScriptOutput, onScriptEnd }: ScriptEvents,
): Promise<number> {
  const { stdout, stderr, code } = await rig.exec(`DOMID=${domid}\n${script}`, { seconds: 3600 })
  for (const [stream, text] of [
    ['stdout', stdout],
    ['stderr', stderr],
  ] as const) {
    const lines = lineSplitter(line => onScriptOutput(stream, line))
    lines.push(text)
    lines.end()
  }
  onScriptEnd(code)
  return code
}

/** Knows when a program of this name has logged a line: what it offers from the beginning is there, or will be soon. */
export function firstLine(name: string): { within(milliseconds: number): Promise<void>; push(text: string): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  let said: string | undefined = ''
  return {
    /** Resolves then, or after this time. */
    within(milliseconds) {
      const timer = setTimeout(resolve, milliseconds)
      return promise.finally(() => clearTimeout(timer))
    },
    push(text) {
      if (said === undefined) return
      said += text
      if (!said.includes(`[${name}]`)) return
      said = undefined
      resolve()
    },
  }
}
