/**
 * UDP in images whose program sends no datagrams: stands for udp.ts there (cli/build/facts.ts). No port is open, and who sends to one is
 * told so.
 */
import { UdpInput } from './input.ts'

export class Udp extends UdpInput {
  framesFree(): void {}

  unreachable(): void {
    this.ip.counters.icmpIgnored++
  }

  close(): void {}
}
