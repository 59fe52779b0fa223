/** Pictures of the qube's windows as PNG files, one for each window, written anew when it has changed. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { DaemonWindow } from '@xen-ts/rig/dom0'
import { CliError, trouble } from '../errors.ts'

/** How long (ms) a window may go on changing before it is saved again. */
const PATIENCE = 300

export interface Screenshots {
  painted(window: DaemonWindow): void
  /** Saves what has changed since. */
  end(): void
}

/** @throws CliError when the folder cannot be made */
export function screenshots(folder: string, onNote: (text: string) => void): Screenshots {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw new CliError(
      `--screenshots: ${folder} cannot be made: ${trouble(error)}`,
      undefined,
      'give a folder; it is made when it does not exist',
    )
  }
  const names = new Map<DaemonWindow, string>()
  const waiting = new Map<DaemonWindow, NodeJS.Timeout>()
  const save = (window: DaemonWindow) => {
    clearTimeout(waiting.get(window))
    waiting.delete(window)
    const known = names.get(window)
    // A daemon that connects again knows the window anew, under the number it had.
    const name = known ?? `${window.id}-${window.title.replace(/[^a-zA-Z0-9]+/g, '-').replace(/^-|-$/g, '') || 'window'}.png`
    names.set(window, name)
    const path = join(folder, name)
    try {
      writeFileSync(path, window.png())
      if (known === undefined) onNote(`window '${window.title}' is in ${relative(process.cwd(), path)}`)
    } catch (error) {
      onNote(`window '${window.title}' cannot be saved: ${(error as Error).message}`)
    }
  }
  return {
    painted(window) {
      if (!waiting.has(window)) waiting.set(window, setTimeout(save, PATIENCE, window))
    },
    end() {
      for (const window of [...waiting.keys()]) save(window)
    },
  }
}
