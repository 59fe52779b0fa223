/** For tests of other packages: what stands at the other end of a wire. */
export { record } from '../hostile/corpus.ts'
export { siege } from '../hostile/siege.ts'
export { DhcpServerDouble } from './dhcp-server.ts'
export { serveName } from './name-server.ts'
export { type Pair, pair } from './pair.ts'
export { type Network, socketCases } from './socket-cases.ts'
