/** Finds what somebody probably meant to write. */

/**
 * The candidate with the fewest typing errors from `word` (letters wrong, missing, too many or swapped), if there are few enough.
 * Case counts
 * for nothing.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase()
  let best: string | undefined
  // About one error in three letters, but never so many that nothing of a short word is left.
  let limit = Math.min(3, Math.max(1, Math.floor(wanted.length / 3))) + 1
  for (const candidate of candidates) {
    const errors = distance(wanted, candidate.toLowerCase())
    if (errors < limit && errors < candidate.length) {
      best = candidate
      limit = errors
    }
  }
  return best
}

/** Damerau-Levenshtein distance, in the form that edits no part twice (optimal string alignment). */
export function distance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], beforeLast[j - 2] + 1)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]
}
