/** Sends a body that comes as a stream, chunked or plain, as fast as the client takes it. */
import type { HostFunctions } from '@xen-ts/runtime/machine'
import { encodeText } from './answer.ts'

export interface BodySink {
  write(bytes: Uint8Array): void
  /** Sends what was written; a promise when there is no more room, until there is. */
  flush(): Promise<void> | undefined
  readonly isClosed: boolean
}

/** Rejects with what the stream fails with. A client that goes away cancels the stream. */
export async function pumpBody(abi: HostFunctions, body: ReadableStream<Uint8Array>, chunked: boolean, sink: BodySink): Promise<void> {
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (sink.isClosed) {
      await reader.cancel().catch(() => {})
      return
    }
    if (done) break
    if (!(value instanceof Uint8Array)) throw new TypeError('the stream of a response body must yield Uint8Arrays')
    if (value.length === 0) continue
    if (chunked) sink.write(encodeText(abi, `${value.length.toString(16)}\r\n`))
    sink.write(value)
    if (chunked) sink.write(encodeText(abi, '\r\n'))
    await sink.flush()
  }
  if (chunked) sink.write(encodeText(abi, '0\r\n\r\n'))
}
