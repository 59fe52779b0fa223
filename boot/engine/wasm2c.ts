/** Runs wabt's wasm2c, of the one version whose output translate.ts knows. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EngineError } from './error.ts'

export const wasm2cVersion = '1.0.32'
const install = `Install wabt ${wasm2cVersion}: \`apt install wabt\` on Debian 12.`

function run(args: string[]): string {
  const { error, status, stdout, stderr } = spawnSync('wasm2c', args, { encoding: 'utf8', timeout: 60_000 })
  if (error) throw new EngineError(`wasm2c cannot be run: ${error.message}.`, 'PATH', install)
  if (status !== 0) throw new EngineError(`wasm2c failed: ${stderr.trim()}`, `wasm2c ${args.join(' ')}`, install)
  return stdout.trim()
}

/** Throws an EngineError unless the installed wasm2c is `wanted`; its output differs from version to version. */
export function checkWasm2c(wanted: string = wasm2cVersion): void {
  const found = run(['--version'])
  if (found !== wanted) throw new EngineError(`wasm2c has version ${found}, expected ${wanted}.`, 'PATH', install)
}

/** C source of a module, which is called "engine" in it. */
export function runWasm2c(wasm: Uint8Array): string {
  checkWasm2c()
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-wasm2c-'))
  try {
    const input = join(folder, 'engine.wasm'),
      output = join(folder, 'engine.c')
    writeFileSync(input, wasm)
    run([input, '--module-name', 'engine', '--output', output])
    return readFileSync(output, 'utf8')
  } finally {
    rmSync(folder, { recursive: true })
  }
}
