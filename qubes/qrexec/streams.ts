/**
 * The streams of a call: web streams of bytes, with what services mostly do as methods. Pulled, not pushed: what nobody reads stays in
 * the ring, and the peer waits. From one of them to another of them bytes go straight. In an image whose program uses no web streams they
 * have these methods, and are iterated, but are no web streams: those would be the largest part of a small program.
 */
import { streamBases } from '@xen-ts/runtime/web'
import { type ByteReader, type ByteReaderClass, byteReaderClass } from './byte-reader.ts'
import { type ByteWriter, type ByteWriterClass, byteWriterClass } from './byte-writer.ts'

export type { ByteReader, ByteWriter }

let Reader: ByteReaderClass | undefined
let Writer: ByteWriterClass | undefined

/** The guest's own, under the types that programs know. */
const bases = () => streamBases() as unknown as typeof globalThis

type Arguments<Class extends abstract new (...args: any) => unknown> = ConstructorParameters<Class>

export function byteReader(...args: Arguments<ReturnType<typeof byteReaderClass>>): ByteReader {
  Reader ??= byteReaderClass(bases().ReadableStream)
  return new Reader(...args)
}

export function byteWriter(...args: Arguments<ReturnType<typeof byteWriterClass>>): ByteWriter {
  Writer ??= byteWriterClass(bases().WritableStream)
  return new Writer(...args)
}
