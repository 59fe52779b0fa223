/** The order in which servers of a service are to be tried (RFC 2782): by priority, then by chance in proportion to their weights. */
import type { SrvData } from '../wire/dns.ts'

/** @param random a number from 0 to below 1 */
export function orderServices(services: readonly SrvData[], random: () => number): SrvData[] {
  const order: SrvData[] = []
  const left = services.toSorted((a, b) => a.priority - b.priority || a.weight - b.weight) // those of weight 0 first
  while (left.length > 0) {
    const same = left.filter(service => service.priority === left[0].priority)
    const sum = same.reduce((total, service) => total + service.weight, 0)
    let rest = Math.floor(random() * (sum + 1))
    const chosen = same.findIndex(service => (rest -= service.weight) <= 0)
    order.push(...left.splice(chosen, 1))
  }
  return order
}
