/** The cases of all network stacks on ours. */
import { cases } from '@xen-ts/boot/cases'
import { simulatedNetwork } from './testing/simulated-network.ts'
import { socketCases } from './testing/socket-cases.ts'

export default cases({
  ...socketCases('IPv4', () => simulatedNetwork(4)),
  ...socketCases('IPv6', () => simulatedNetwork(6)),
})
