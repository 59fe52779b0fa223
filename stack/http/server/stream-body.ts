/** Sends a body that comes as a stream, chunked or plain, as fast as the client takes it. */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import { encodeText } from './answer.ts'

export interface BodySink {
  write(bytes: Uint8Array): void
  /** Sends what was written; a promise when there is no more room, until there is. */
  flush(): Promise<void> | undefined
  /** Calls `left` when the client is gone, with the reason. The stream may be waiting: nothing else would wake it. */
  whenClosed(left: (reason: unknown) => void): void
  readonly isClosed: boolean
}

/** Rejects with what the stream fails with. A client that goes away cancels the stream. */
export async function pumpBody(abi: HostFunctions, body: ReadableStream<Uint8Array>, chunked: boolean, sink: BodySink): Promise<void> {
  const reader = body.getReader()
  const cancel = (reason: unknown): void => void reader.cancel(reason).catch(() => {})
  sink.whenClosed(cancel)
  for (;;) {
    const { done, value } = await reader.read()
    if (sink.isClosed) return
    if (done) break
    if (!(value instanceof Uint8Array)) {
      const error = new TypeError('the stream of a response body must yield Uint8Arrays')
      cancel(error)
      throw error
    }
    if (value.length === 0) continue
    if (chunked) sink.write(encodeText(abi, `${value.length.toString(16)}\r\n`))
    sink.write(value)
    if (chunked) sink.write(encodeText(abi, '\r\n'))
    await sink.flush()
  }
  if (chunked) sink.write(encodeText(abi, '0\r\n\r\n'))
}
