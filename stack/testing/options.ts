/** A middlebox that takes options out of SYNs: how peers look that do not have them. */
import { testAbi } from './abi.ts'

const abi = testAbi(0, () => 0)

/** Overwrites option `kind` of a SYN over IPv4 with no-operations, and makes the checksum right again. Always true: it is a wire's filter. */
export function withoutOption(frame: Uint8Array, kind: number): boolean {
  const isSyn = frame[12] === 8 && frame[13] === 0 && frame[23] === 6 && (frame[47] & 2) !== 0
  if (!isSyn) return true
  const end = 34 + (frame[46] >> 4) * 4
  for (let at = 54; at < end && frame[at] !== 0; ) {
    const size = frame[at] === 1 ? 1 : frame[at + 1]
    if (frame[at] === kind) frame.fill(1, at, at + size)
    at += size
  }
  const length = frame.length - 34
  frame.fill(0, 50, 52)
  const pseudo = new Uint8Array([...frame.subarray(26, 34), 0, 6, length >> 8, length & 255])
  const sum = ~abi.checksum(frame, 34, length, abi.checksum(pseudo, 0, 12, 0))
  frame[50] = sum & 255
  frame[51] = (sum >> 8) & 255
  return true
}
