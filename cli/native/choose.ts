/** Which functions become machine code: those that pay most for each byte, until what they may take is used up. */

export interface Choosable {
  readonly address: number
  /** Of bytecode. */
  readonly bytes: number
}

export interface Choice {
  /** How much of what is executed are bytecodes of a function, by its address; one that is not there is cold. */
  readonly counts: ReadonlyMap<number, number>
  /** Bytes of machine code. undefined: as many as there are. */
  readonly budget: number | undefined
  /** Bytes of machine code by address, where they are known. */
  readonly sizes?: ReadonlyMap<number, number>
}

/** Bytes of machine code and tables for one of bytecode, about. */
const GROWTH = 25

/**
 * The hottest by what is executed for each byte. A small one may still fit where a larger one did not. Equal ones go by their address, so that the
 * same snapshot gives the same image.
 */
export function chooseFunctions(functions: readonly Choosable[], { counts, budget = Infinity, sizes }: Choice): Set<number> {
  const hot = functions
    .map(({ address, bytes }) => ({ address, size: sizes?.get(address) ?? bytes * GROWTH, count: counts.get(address) ?? 0 }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count / b.size - a.count / a.size || a.address - b.address)
  const chosen = new Set<number>()
  let left = budget
  for (const { address, size } of hot) {
    if (size > left) continue
    left -= size
    chosen.add(address)
  }
  return chosen
}
