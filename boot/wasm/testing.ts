/** For tests: modules from their text, by wat2wasm of Debian's wabt. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export function assemble(text: string, ...flags: string[]): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-wat-'))
  try {
    writeFileSync(join(folder, 'x.wat'), text)
    execFileSync('wat2wasm', ['x.wat', '-o', 'x.wasm', ...flags], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
    return Uint8Array.from(readFileSync(join(folder, 'x.wasm')))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export { numericModule } from './numeric.ts'
