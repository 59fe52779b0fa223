/** What the rig keeps: folders that are marked when they are used, and those that nobody uses any more. */
import { glob, rm, stat, utimes } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Log } from './run.ts'

const HOUR = 3600 * 1000
/** A folder in the making is abandoned when it is older; nothing takes so long. */
const ABANDONED = 24 * HOUR
/** Another branch, or another version of Xen, may have its turn only now and then. */
const UNUSED = 30 * 24 * HOUR

/** Says that a folder is in use, by its time of modification. Never rejects: a cache may be read-only. */
export async function markUsed(folder: string, time = new Date()): Promise<void> {
  await utimes(folder, time, time).catch(() => {})
}

/**
 * Deletes what earlier versions made and nobody has used for a month, 90 MB and more each, and what was left half made. Whoever makes
 * something new calls it.
 * @param kept stay, whatever their age
 */
export async function removeOld(cache: string, kept: readonly string[], log: Log, now = Date.now()): Promise<void> {
  for await (const folder of glob(join(cache, '{dom0,tree,making,unpacking}-*'))) {
    const found = await stat(folder).catch(() => undefined)
    if (found === undefined || kept.includes(folder)) continue
    const isFinished = /^(dom0|tree)-/.test(basename(folder))
    if (now - found.mtimeMs <= (isFinished ? UNUSED : ABANDONED)) continue
    log(`deleting ${folder}, which was ${isFinished ? 'used' : 'begun'} ${Math.floor((now - found.mtimeMs) / (24 * HOUR))} days ago`)
    await rm(folder, { recursive: true, force: true })
  }
}
