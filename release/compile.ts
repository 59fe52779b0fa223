/**
 * Modules to JavaScript, with declarations and source maps. Types become blanks, as when Node runs the workspace, so that everything
 * stays at its line and column: what bundlers and people see of the code is the same.
 */
import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { sourceMap } from './map.ts'
import { withCompiledNames } from './modules.ts'
import { strip } from './strip.ts'

/**
 * @param modules TypeScript, by paths from `root`; what becomes of them has the same paths from `out`, an empty folder
 * @throws Error when TypeScript finds one
 */
export function compile(root: string, modules: readonly string[], out: string): void {
  declarations(root, modules, out)
  for (const file of modules) {
    const path = join(out, file.replace(/\.ts$/, ''))
    writeFileSync(`${path}.d.ts`, withCompiledNames(`${path}.d.ts`, readFileSync(`${path}.d.ts`, 'utf8')))
    const source = readFileSync(join(root, file), 'utf8')
    mkdirSync(dirname(path), { recursive: true })
    const stripped = strip(file, source)
    const code = withCompiledNames(`${path}.js`, stripped.code)
    writeFileSync(`${path}.js`, `${code}//# sourceMappingURL=${basename(path)}.js.map\n`)
    writeFileSync(`${path}.js.map`, JSON.stringify(sourceMap(basename(path), source, stripped)))
  }
}

function declarations(root: string, modules: readonly string[], out: string): void {
  const config = join(out, 'tsconfig.json')
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    outDir: out,
    rootDir: root,
    typeRoots: [join(root, 'node_modules/@types')],
  }
  // What the host or the engine has, and lib does not know.
  const ambient = globSync('{boot,runtime,drivers,stack,qubes,targets,rig,cli}/**/*.d.ts', { cwd: root })
  const files = [...modules, ...ambient].map(file => join(root, file))
  writeFileSync(config, JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] }))
  try {
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config], { encoding: 'utf8', cwd: root })
  } catch (error) {
    throw new Error(`TypeScript does not compile:\n${(error as { stdout?: string }).stdout}`, { cause: error })
  }
}
