/** The main module for the native engine: does COUNT units of WORK by FAMILY, which the counter sets before it. */
import { AbortController, AbortSignal, createEncoding, Response } from '@xen-ts/runtime/web'
import { createStack, httpServer } from '@xen-ts/stack'
import { nativeAbi, nativeMachine } from './machine.ts'
import { ACK, config, FIN, PSH, settle, Wire } from './wire.ts'

declare const COUNT: number, WORK: string, FAMILY: 4 | 6
declare const print: (text: string) => void

Object.assign(globalThis, createEncoding(nativeAbi), { AbortController, AbortSignal, performance: { now: nativeAbi.clockMonotonic } })

const PAGE = `<html>${'x'.repeat(600)}</html>\n`
const headers = { 'content-type': 'text/html' }
const wire = new Wire(FAMILY)
const stack = createStack(nativeMachine, wire.device, config)

/** A handler as users write them: it parses the URL, looks at a header, answers with JSON. */
async function route(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  return Response.json({ path: pathname, agent: request.headers.get('user-agent') })
}

function requestText(close: boolean): Uint8Array {
  const host = FAMILY === 6 ? '[fd00::2]' : '10.0.0.2'
  return new TextEncoder().encode(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\n${close ? 'Connection: close\r\n' : ''}\r\n`,
  )
}

async function answer(): Promise<number> {
  for (let i = 0; i < 60 && !wire.answered; i++) await undefined
  if (!wire.answered) throw new Error('a request was not answered')
  const bytes = wire.take()
  wire.acknowledgment = (wire.acknowledgment + bytes) >>> 0
  return bytes
}

async function requests(): Promise<void> {
  const text = requestText(false)
  await wire.connect(80)
  await settle()
  wire.fill(text)
  for (let i = 0; i < COUNT; i++) {
    wire.tcp(80, PSH | ACK, text.length)
    await answer()
  }
}

async function connections(): Promise<void> {
  const text = requestText(true)
  wire.fill(text)
  for (let i = 0; i < COUNT; i++) {
    const from = 20_000 + i
    wire.sequence = 1000
    await wire.connect(80, from)
    wire.tcp(80, PSH | ACK, text.length, true, from)
    await answer()
    await settle(10)
    wire.take()
    wire.acknowledgment = (wire.acknowledgment + 1) >>> 0
    wire.tcp(80, FIN | ACK, 0, true, from)
    await settle(10)
    wire.take()
  }
}

async function received(): Promise<void> {
  let taken = 0
  stack.tcp.bind(9, {}, () => ({
    onData(_bytes, _offset, length) {
      taken += length
      return 0
    },
    onEnd() {},
    onWritable() {},
    onClosed() {},
  }))
  await wire.connect(9)
  await settle()
  for (let i = 0; i < COUNT; i++) {
    wire.tcp(9, ACK, wire.segment, i % 10 === 9)
    wire.take()
  }
  if (taken !== COUNT * wire.segment) throw new Error(`${taken} bytes came`)
}

async function sent(): Promise<void> {
  let socket: Parameters<Parameters<typeof stack.tcp.bind>[2]>[0]
  stack.tcp.bind(9, {}, opened => {
    socket = opened
    return { onData: () => 0, onEnd() {}, onWritable() {}, onClosed() {} }
  })
  await wire.connect(9)
  await settle()
  const chunk = new Uint8Array(10 * wire.segment)
  let bytes = 0
  for (let i = 0; i < COUNT; i++) {
    if (i % 10 === 0) {
      socket!.queue(chunk, 0, chunk.length)
      socket!.flush()
    }
    if (i % 2 === 1) {
      wire.acknowledgment = (wire.acknowledgment + 2 * wire.segment) >>> 0
      wire.tcp(9, ACK)
    }
    bytes += wire.take()
  }
  if (bytes < COUNT * wire.segment - chunk.length) throw new Error(`${bytes} bytes went out`)
}

/** As programs have them: a socket whose datagrams come in batches. */
async function datagrams(isAnswered: boolean): Promise<void> {
  const payload = new Uint8Array(64)
  let came = 0
  const socket = stack.udp.bind({
    port: 7,
    onDatagrams(batch) {
      came += batch.length
      if (!isAnswered) return
      for (let i = 0; i < batch.length; i++) void socket.send(payload, batch[i]!)
    },
  })
  await wire.begin('udp')
  for (let i = 0; i < COUNT; i++) {
    wire.udp(7, payload.length)
    for (let turn = 0; turn < 30 && isAnswered && !wire.answered; turn++) await undefined
    if (isAnswered && !wire.answered) throw new Error('a datagram was not answered')
    wire.drop()
  }
  await settle()
  if (came !== COUNT) throw new Error(`${came} datagrams came`)
}

const works: Record<string, () => Promise<void>> = {
  request: () => serving(() => new Response(PAGE, { headers }), requests),
  route: () => serving(route, requests),
  connection: () => serving(() => new Response(PAGE, { headers }), connections),
  received,
  sent,
  datagram: () => datagrams(false),
  echo: () => datagrams(true),
}

async function serving(handler: (request: Request) => Response | Promise<Response>, work: () => Promise<void>): Promise<void> {
  void httpServer(nativeMachine, stack.tcp).serve({ port: 80 }, handler as never)
  await work()
}

async function main(): Promise<void> {
  await wire.begin('tcp')
  await works[WORK]!()
  print('done')
}

main().catch(error => print(`${error}\n${error.stack}`))
