/** Which ports of the host stand for those that a program names: port 80 is for root, or taken. */
import { UsageError } from '@xen-ts/runtime'

/** From the program's to the host's. */
export type PortMap = ReadonlyMap<number, number>

/** Throws a UsageError. */
export function portMap(texts: readonly string[]): PortMap {
  return new Map(
    texts.map(text => {
      const [from, to] = (/^(\d{1,5}):(\d{1,5})$/.exec(text) ?? []).slice(1).map(Number)
      if (from >= 1 && from <= 65535 && to >= 1 && to <= 65535) return [from, to]
      throw new UsageError(`--port-map: '${text}' is not a pair of ports; write the program's and the host's, 80:8080`)
    }),
  )
}
