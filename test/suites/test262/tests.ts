/** Tests of test262: their front matter, and a sample that stays the same while the collection grows. */

export interface Meta {
  readonly flags: readonly string[]
  readonly features: readonly string[]
  readonly includes: readonly string[]
  readonly negative?: { readonly phase: string; readonly type: string }
}

export interface Job {
  readonly path: string
  readonly meta: Meta
  /** Without the project's runtime. */
  readonly bare: boolean
}

export interface Ran {
  readonly pass: boolean
  readonly message: string
}

export function metaOf(source: string): Meta {
  const yaml = /\/\*---\r?\n?([^]*?)---\*\//.exec(source)?.[1] ?? ''
  const list = (key: string): string[] => {
    const inline = new RegExp(`^${key}:\\s*\\[([^\\]]*)\\]`, 'm').exec(yaml)
    if (inline)
      return inline[1]
        .split(',')
        .map(word => word.trim())
        .filter(Boolean)
    const block = new RegExp(`^${key}:\\s*\\r?\\n((?:\\s+- .*\\r?\\n?)+)`, 'm').exec(yaml)
    return block ? [...block[1].matchAll(/- (.*)/g)].map(match => match[1].trim()) : []
  }
  const negative = /^negative:\s*\r?\n((?:[ \t]+.*\r?\n?)+)/m.exec(yaml)?.[1]
  const word = (key: string) => new RegExp(`${key}:\\s*(\\w+)`).exec(negative ?? '')?.[1] ?? ''
  return {
    flags: list('flags'),
    features: list('features'),
    includes: list('includes'),
    negative: negative === undefined ? undefined : { phase: word('phase'), type: word('type') },
  }
}

/** FNV-1a with a seed: the tests with the smallest numbers are the sample. */
export function order(path: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0
  for (let i = 0; i < path.length; i++) hash = Math.imul(hash ^ path.charCodeAt(i), 0x01000193) >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0
  return (hash ^ (hash >>> 13)) >>> 0
}

/**
 * What the engine (QuickJS 2025-09-13) does not claim: proposals that no published edition of the standard has, what a host need not have, and modules
 * loaded at run time, since programs are one bundled script. A test that needs one of them is not in the sample.
 */
export const notClaimed = new Set(
  `
Temporal ShadowRealm decorators explicit-resource-management source-phase-imports source-phase-imports-module-source import-defer import-bytes
import-text json-modules dynamic-import tail-call-optimization host-gc-required IsHTMLDDA cross-realm canonical-tz immutable-arraybuffer
nonextensible-applies-to-private joint-iteration await-dictionary Atomics.pause Atomics.waitAsync legacy-regexp iterator-chunking iterator-includes
error-stack-accessor Iterator.prototype.join
`
    .trim()
    .split(/\s+/),
)
