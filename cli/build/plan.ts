/**
 * How the heap of a program's last image was laid out, for the next one: after most changes it fits, and the bundle is evaluated once instead of
 * twice (boot/image/take.ts, which sees whether it does).
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { Cache, sha256 } from './cache.ts'
import type { Project } from './project.ts'
import type { FoundTarget } from './targets.ts'

/** Of plans: one byte for each allocation while a bundle is evaluated. */
const LARGEST = 64 << 20
const KEY = 'plan'

export class PlanCache {
  readonly #cache: Cache<string>
  /** Of the last image. */
  readonly plan: Uint8Array | undefined

  constructor({ root, entry }: Project, target: FoundTarget) {
    this.#cache = new Cache(root, `plan-${sha256(`${entry} ${target.module}`).slice(0, 16)}`)
    const kept = this.#cache.known(KEY)
    this.plan = kept === undefined ? undefined : inflated(kept)
  }

  keep(plan: Uint8Array): void {
    if (this.plan !== undefined && Buffer.compare(this.plan, plan) === 0) return
    this.#cache.set(KEY, deflateRawSync(plan, { level: 1 }).toString('base64'))
    this.#cache.save()
  }
}

function inflated(text: string): Uint8Array | undefined {
  try {
    return inflateRawSync(Buffer.from(text, 'base64'), { maxOutputLength: LARGEST })
  } catch {
    return undefined
  }
}
