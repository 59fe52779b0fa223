/** To all hosts of the link (RFC 919): for those who ask for such a route by name. Nothing is routed there by itself. */
import { BROADCAST_MAC } from '../wire/ethernet.ts'
import { Ipv4Route } from './ipv4-route.ts'
import { Neighbour } from './neighbour.ts'

const everybody = new Neighbour()
everybody.mac = BROADCAST_MAC
everybody.version = 1

export class BroadcastRoute extends Ipv4Route {
  override resolve(): Neighbour | undefined {
    return (this.hop = this.host.address === this.localIp ? everybody : undefined)
  }
}
