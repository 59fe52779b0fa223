/** Why a packet was dropped: the stack counts its reasons, and the one that went up while a packet was dealt with is that packet's. */

export interface DropWatch {
  /** A packet is about to be dealt with. */
  mark(): void
  /** It was: the reasons that were counted meanwhile, or undefined. */
  reason(): string | undefined
}

/** @param names of those counters that stand for a packet that was thrown away */
export function watchDrops<T extends object>(counters: T, names: readonly (keyof T & string)[]): DropWatch {
  const before = new Array<unknown>(names.length)
  return {
    mark() {
      for (let i = 0; i < names.length; i++) before[i] = counters[names[i]]
    },
    reason() {
      const reasons = names.filter((name, i) => counters[name] !== before[i])
      return reasons.length === 0 ? undefined : reasons.join(', ')
    },
  }
}
