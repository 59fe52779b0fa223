/**
 * The linear stack of the guest: directly above static data, 5 MiB below where the package has it, because the pages in between
 * are never touched then, nor need to be backed.
 */
const pageSize = 4096
/** What JavaScript may use: enough for a recursion of some hundred levels. */
const jsStackLimit = 64 << 10
/** What the engine's C functions may need beyond the last check of that limit. */
const margin = 64 << 10

/** @param dataEnd address where static data ends (EngineNames) */
export function guestStack(dataEnd: number): { base: number; top: number; jsStackLimit: number } {
  const base = Math.ceil(dataEnd / pageSize) * pageSize
  return { base, top: base + margin + jsStackLimit, jsStackLimit }
}
