/** Words of a kernel command line. */
import { UsageError } from './usage-error.ts'

/**
 * Splits at white space; quotes (double or single, anywhere in a word) keep it together and are taken away. Inside double quotes a
 * backslash
 * makes a quote or a backslash plain.
 */
export function splitWords(line: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  let quoteAt = 0
  for (let i = 0; i < line.length; i++) {
    const character = line[i]
    if (quote !== '') {
      if (character === quote) quote = ''
      else if (character === '\\' && quote === '"' && /["\\]/.test(line[i + 1] ?? '')) word += line[++i]
      else word += character
    } else if (character === '"' || character === "'") {
      quote = character
      quoteAt = i
      word ??= ''
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else {
      word = (word ?? '') + character
    }
  }
  if (quote !== '') {
    const place = `the quote at character ${quoteAt + 1} is never closed: ${line.slice(quoteAt, quoteAt + 30)}`
    throw new UsageError(`command line: ${place}; add a ${quote} or take it away`)
  }
  if (word !== undefined) words.push(word)
  return words
}

/** Options for Linux that Qubes and boot loaders put on every command line (facts: kernelopts_common), and the kernel's own words. */
const names = new Set([
  'root',
  'ro',
  'rw',
  'quiet',
  'nomodeset',
  'console',
  'swiotlb',
  'clocksource',
  'iommu',
  'selinux',
  'apparmor',
  'security',
  'rd_NO_PLYMOUTH',
  'noresume',
  'loglevel',
  'earlyprintk',
  'init',
  'panic',
  'nopat',
  'BOOT_IMAGE',
  'selftest',
  'boottime',
])
const prefixes = /^(xen_|rd\.|plymouth\.|systemd\.|gnttab|nopti|pti=)/

/** Whether a word (without leading dashes) is meant for somebody else and to be passed over in silence. */
export function isForeign(word: string): boolean {
  return names.has(word.split('=', 1)[0]) || prefixes.test(word)
}
