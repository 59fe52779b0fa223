/** Codes for symbols that occur more and less often (RFC 1951 section 3.2.2): the more often, the shorter. */

export interface Codes {
  /** In bits; 0 for a symbol that does not occur. */
  readonly lengths: Uint8Array
  /** As they are sent: the first bit lowest. */
  readonly codes: Uint16Array
}

/** Huffman's lengths for the counts, none above `longest`. Two symbols at least get a code, so that it is a whole set. */
export function lengthsOf(counts: Int32Array, longest: number): Uint8Array {
  const used: number[] = []
  for (let symbol = 0; symbol < counts.length; symbol++) if (counts[symbol] > 0) used.push(symbol)
  for (let symbol = 0; used.length < 2; symbol++) if (!used.includes(symbol)) used.push(symbol)
  used.sort((a, b) => counts[a] - counts[b] || a - b)
  const leaves = used.length
  // Two queues, of leaves and of pairs, both in order: the least two become a pair.
  const weights = new Float64Array(2 * leaves - 1)
  const parents = new Int32Array(2 * leaves - 1)
  for (let i = 0; i < leaves; i++) weights[i] = counts[used[i]]
  for (let next = leaves, leaf = 0, pair = leaves; next < weights.length; next++) {
    for (let i = 0; i < 2; i++) {
      const least = leaf < leaves && (pair >= next || weights[leaf] <= weights[pair]) ? leaf++ : pair++
      weights[next] += weights[least]
      parents[least] = next
    }
  }
  /** How many codes there are of each length. */
  const numbers = new Int32Array(longest + 1)
  const depths = new Uint8Array(weights.length)
  for (let node = weights.length - 2; node >= 0; node--) {
    depths[node] = depths[parents[node]] + 1
    if (node < leaves) numbers[Math.min(depths[node], longest)]++
  }
  // What was cut is too much: a shorter code gives way to two longer ones, and one of the longest joins it there.
  let room = -(1 << longest)
  for (let length = 1; length <= longest; length++) room += numbers[length] << (longest - length)
  for (; room > 0; room--) {
    let length = longest - 1
    while (numbers[length] === 0) length--
    numbers[length]--
    numbers[length + 1] += 2
    numbers[longest]--
  }
  const lengths = new Uint8Array(counts.length)
  for (let length = longest, at = 0; length > 0; length--) for (let i = numbers[length]; i > 0; i--) lengths[used[at++]] = length
  return lengths
}

export function codesOf(lengths: Uint8Array): Codes {
  const numbers = new Uint16Array(16)
  for (const length of lengths) if (length > 0) numbers[length]++
  const next = new Uint16Array(16)
  for (let length = 1; length < 16; length++) next[length] = (next[length - 1] + numbers[length - 1]) << 1
  const codes = new Uint16Array(lengths.length)
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]
    let code = next[length]++
    let reversed = 0
    for (let i = 0; i < length; i++, code >>= 1) reversed = (reversed << 1) | (code & 1)
    codes[symbol] = reversed
  }
  return { lengths, codes }
}
