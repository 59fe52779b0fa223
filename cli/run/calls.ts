/** Calls from dom0 into the running qube, one after another. */
import { StringDecoder } from 'node:string_decoder'
import type { MiniQubes } from '@xen-ts/rig/dom0'
import { lineSplitter } from './lines.ts'
import type { Call } from './qubes-options.ts'

/** What qvm-run ends with when qrexec itself failed (QREXEC_EXIT_PROBLEM of libqrexec). */
const QREXEC_PROBLEM = 125

export interface CallEvents {
  /** A line that the service wrote. */
  onCallOutput(call: Call, stream: 'stdout' | 'stderr', line: string): void
  /** It is over; `error` when there was no exit code. */
  onCallEnd(call: Call, code: number, error?: string): void
}

export interface CallsOptions extends CallEvents {
  readonly qubes: Pick<MiniQubes, 'call'>
  readonly calls: readonly Call[]
  /** For the first call; the others have no input. */
  readonly input: AsyncIterable<Uint8Array>
}

/** Lines of UTF-8 that comes in pieces, which may end within a character. */
function textSplitter(onLine: (line: string) => void) {
  const lines = lineSplitter(onLine)
  const decoder = new StringDecoder()
  return {
    push(bytes: Buffer): void {
      lines.push(decoder.write(bytes))
    },
    end(): void {
      lines.push(decoder.end())
      lines.end()
    },
  }
}

/** Makes all calls, each after the end of the one before. Gives the first exit code that is not 0, or 0; never rejects. */
export async function makeCalls({ qubes, calls, input, onCallOutput, onCallEnd }: CallsOptions): Promise<number> {
  const codes: number[] = []
  for (const call of calls) {
    const [stdout, stderr] = (['stdout', 'stderr'] as const).map(stream => textSplitter(line => onCallOutput(call, stream, line)))
    const ended = (code: number, error?: string) => {
      stdout.end()
      stderr.end()
      codes.push(code)
      onCallEnd(call, code, error)
    }
    try {
      const { code } = await qubes.call(call.service, {
        user: call.user,
        input: codes.length === 0 ? input : '',
        onStdout: stdout.push,
        onStderr: stderr.push,
      })
      ended(code)
    } catch (error) {
      ended(QREXEC_PROBLEM, (error as Error).message.split('\n')[0])
    }
  }
  return codes.find(code => code !== 0) ?? 0
}
