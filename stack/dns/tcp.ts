/** A question over TCP (RFC 7766), for an answer that does not fit a datagram: a connection for each. */
import type { Environment, Server } from './exchange.ts'
import type { ByteStream } from './transport.ts'

/** @param patience milliseconds for all of it. Rejects when the connection fails or ends early, with the reason of `signal` when that aborts */
export async function askOverTcp(
  { timers, transport }: Environment,
  { address, port }: Server,
  question: Uint8Array,
  patience: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const controller = new AbortController()
  const aborted = Promise.withResolvers<never>()
  aborted.promise.catch(() => {})
  controller.signal.addEventListener('abort', () => aborted.reject(controller.signal.reason), { once: true })
  const abort = (): void => controller.abort(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  const timer = timers.set(patience, () => controller.abort(new Error(`no answer in ${patience / 1000} seconds`)))
  let stream: ByteStream | undefined
  try {
    // A connection that comes too late is not ours to keep.
    const connecting = transport.connect(address, port, controller.signal).then(connected => {
      if (controller.signal.aborted) connected[Symbol.dispose]()
      return connected
    })
    connecting.catch(() => {})
    stream = await Promise.race([connecting, aborted.promise])
    const framed = new Uint8Array(2 + question.length)
    framed[0] = question.length >>> 8
    framed[1] = question.length
    framed.set(question, 2)
    return await Promise.race([exchange(stream, framed), aborted.promise])
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', abort)
    stream?.[Symbol.dispose]()
  }
}

/** Sends, and reads one message behind its length of two bytes: 64 KiB at most. */
async function exchange(stream: ByteStream, framed: Uint8Array): Promise<Uint8Array> {
  await stream.write(framed)
  const parts: Uint8Array[] = []
  let have = 0
  let need = 2
  while (have < need) {
    const part = await stream.read()
    if (part === undefined) throw new Error('the connection ended in the middle of the answer')
    parts.push(part.slice())
    have += part.length
    if (need === 2 && have >= 2) {
      const [high, low] = parts.length === 1 ? part : join(parts, 2)
      need = 2 + ((high << 8) | low)
    }
  }
  return join(parts, need).subarray(2)
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part.subarray(0, length - at), at)
    at += part.length
    if (at >= length) break
  }
  return whole
}
