import { address, readAsked, tableServer } from '../dns/testing.ts'
import type { IpStack } from '../stack.ts'

/** A name server on a stack, which knows one name. */
export function serveName(server: IpStack, name: string, at: string): void {
  const names = tableServer({ [name]: [address(name, at)] })
  server.udp.bind(53, (bytes, offset, length, from, port) => {
    const asked = readAsked(bytes.slice(offset, offset + length), false, port)
    for (const bytes of names(asked) as Uint8Array[]) server.udp.send(53, from, port, bytes)
  })
}
