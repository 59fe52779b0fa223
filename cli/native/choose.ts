/** Which functions become machine code: those that pay most for each byte, until what they may take is used up. */

export interface Choosable {
  readonly address: number
  /** Of bytecode. */
  readonly bytes: number
}

export interface Choice {
  /** How often bytecodes of a function are executed in the training, by its address; one that is not there is cold. */
  readonly counts: ReadonlyMap<number, number>
  /** Bytes of machine code, about. undefined: as many as there are. */
  readonly budget: number | undefined
}

/** Bytes of machine code and tables for one of bytecode, as measured. */
const GROWTH = 40

/**
 * The hottest by bytecodes executed for each byte of theirs. A small one may still fit where a larger one did not. Equal ones go by their address, so
 * that the same snapshot gives the same image.
 */
export function chooseFunctions(functions: readonly Choosable[], { counts, budget }: Choice): Set<number> {
  const hot = functions
    .map(({ address, bytes }) => ({ address, bytes, density: (counts.get(address) ?? 0) / bytes }))
    .filter(({ density }) => density > 0)
    .sort((a, b) => b.density - a.density || a.address - b.address)
  const chosen = new Set<number>()
  let left = budget ?? Infinity
  for (const { address, bytes } of hot) {
    if (bytes * GROWTH > left) continue
    left -= bytes * GROWTH
    chosen.add(address)
  }
  return chosen
}
