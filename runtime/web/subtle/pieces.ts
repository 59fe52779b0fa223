/** Hash functions in pieces: a guest hashes some 2 MB in a second, and has others to look after. */
import { asyncLoop } from '@noble/hashes/utils.js'

/** Bytes that are hashed at once: some milliseconds. */
const PIECE = 16384
/** How long (ms) others wait at most, but for what a piece takes. */
const TURN = 10

interface State {
  update(data: Uint8Array): unknown
  digest(): Uint8Array
}

export async function digestOf(state: State, data: Uint8Array): Promise<Uint8Array> {
  if (data.length <= PIECE) state.update(data)
  else await asyncLoop(Math.ceil(data.length / PIECE), TURN, i => void state.update(data.subarray(i * PIECE, (i + 1) * PIECE)))
  return state.digest()
}
