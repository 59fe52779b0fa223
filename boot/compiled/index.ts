/** The functions that are compiled: the compiler begins here, and so do the hosts that have no compiled ones. */
export { halfSipHash } from './half-sip-hash.ts'
export { httpHead } from './http-head.ts'
export { packetIn } from './packet-in.ts'
export { segmentOut } from './segment-out.ts'
