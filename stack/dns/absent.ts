/** DNS in images whose program asks for no names: stands for of-stack.ts there (cli/build/facts.ts). */
import type { DnsClient } from './client.ts'
import { DnsCounters } from './counters.ts'

/** What the stack calls, whether anybody asks for names or not. */
const names = (): Pick<DnsClient, 'counters' | 'resolve' | 'configure' | 'serversChanged' | 'clear' | 'close'> => ({
  counters: new DnsCounters(),
  resolve: host =>
    Promise.reject(new Error(`cannot resolve ${host}: this image has no DNS client, since its program names neither stack() nor fetch`)),
  configure() {},
  serversChanged() {},
  clear() {},
  close() {},
})

export const namesOf = (): DnsClient => names() as DnsClient
