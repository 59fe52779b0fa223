/** What the cases of network stacks share: two hosts, and what is done with them again and again. */
import type { Assert } from '@xen-ts/boot/cases'
import type { Datagram, Endpoint, Stack, TcpConnection, UdpSocket } from '@xen-ts/runtime'
import { pattern } from './pair.ts'

/** Two hosts that reach each other, or one host in both roles. */
export interface Network {
  readonly client: Stack
  readonly server: Stack
  /** The server's address, and a name that has it. */
  readonly address: string
  readonly name: string
  /** A port of the server that nobody uses. */
  port(): number | Promise<number>
  /** Where nobody answers a SYN. */
  silent(): Endpoint | Promise<Endpoint>
  sleep(milliseconds: number): Promise<void>
  /** Lets time pass until the work is done. */
  run(work: Promise<void>): Promise<void>
  close(): void | Promise<void>
}

export type SocketCase = (t: Assert, network: Network) => Promise<void>

export const text = (bytes: Uint8Array | undefined): string | undefined => bytes && String.fromCharCode(...bytes)
export const bytesOf = (value: string): Uint8Array => Uint8Array.from(value, character => character.charCodeAt(0))

export interface Coded extends Error {
  readonly code?: string
}

/** Waits for an error with this code whose text has all of these. */
export async function fails(t: Assert, work: Promise<unknown>, code: string, ...parts: readonly (string | number)[]): Promise<void> {
  const error = (await t.rejects(work)) as Coded
  t.is(error.code, code, `${error}`)
  for (const part of parts) t.true(error.message.includes(String(part)), `the text names ${part}: ${error.message}`)
}

export function throwsCode(t: Assert, work: () => unknown, code: string, ...parts: readonly (string | number)[]): void {
  const error = t.throws(work) as Coded
  t.is(error.code, code, `${error}`)
  for (const part of parts) t.true(error.message.includes(String(part)), `the text names ${part}: ${error.message}`)
}

/** The first connection of a listener, and the client's end of it. */
export async function connected({
  server,
  client,
  address,
  port: free,
}: Network): Promise<{ a: TcpConnection; b: TcpConnection; stop(): void }> {
  const port = await free()
  const controller = new AbortController()
  const accepted = Promise.withResolvers<TcpConnection>()
  server.tcp.listen({ port, signal: controller.signal }, accepted.resolve).catch(accepted.reject)
  const [b, a] = await Promise.all([accepted.promise, connectSoon(client, address, port)])
  return { a, b, stop: () => controller.abort() }
}

/** Where `listen` takes a moment, so may the first connection. */
export async function connectSoon(client: Stack, host: string, port: number): Promise<TcpConnection> {
  for (let tries = 0; ; tries++) {
    try {
      return await client.tcp.connect({ host, port })
    } catch (error) {
      if (tries === 50 || (error as Coded).code !== 'ECONNREFUSED') throw error
    }
  }
}

/** A listener that sends back what it gets, on a port. */
export async function echoServer(network: Network): Promise<{ port: number; stopped: Promise<void>; stop(): void }> {
  const port = await network.port()
  const controller = new AbortController()
  const stopped = network.server.tcp.listen({ port, signal: controller.signal }, async connection => {
    try {
      for (let part = await connection.read(); part !== undefined; part = await connection.read()) await connection.write(part)
      connection.end()
    } catch {
      /* the client is gone */
    }
  })
  await Promise.race([stopped, connectSoon(network.client, network.address, port).then(first => first.abort())])
  return { port, stopped, stop: () => controller.abort() }
}

/** Reads to the end: how many bytes, and whether they are those of `pattern`. */
export async function readPattern(connection: TcpConnection): Promise<{ length: number; isRight: boolean }> {
  let length = 0
  let isRight = true
  for (let part = await connection.read(); part !== undefined; part = await connection.read()) {
    const expected = pattern(part.length, length)
    if (part.some((byte, i) => byte !== expected[i])) isRight = false
    length += part.length
  }
  return { length, isRight }
}

export async function readText(connection: TcpConnection): Promise<string> {
  let all = ''
  for (let part = await connection.read(); part !== undefined; part = await connection.read()) all += text(part)
  return all
}

export const asText = ({ data, address, port }: Datagram): string => `${address} ${port} ${text(data)}`

/** One datagram alone: hosts that know nothing of each other yet keep few for the time that they ask (ARP). */
export async function meet(sender: UdpSocket, receiver: UdpSocket, address: string): Promise<void> {
  await sender.send(bytesOf('hello'), { address, port: receiver.port })
  await receiver.receive()
}

/** A socket that sends back what it gets. */
export function echoSocket(stack: Stack, port?: number): UdpSocket {
  const socket = stack.udp.bind({ port })
  void (async () => {
    for await (const { data, address, port } of socket) await socket.send(data, { address, port })
  })()
  return socket
}
