import { fileURLToPath } from 'node:url'
import { nearest } from '@xen-ts/runtime/nearest.ts'
import { CliError } from '../errors.ts'

/** The targets that become a `.xen`, and the module that makes each one. */
const modules: Record<string, string> = {
  qubes: '@xen-ts/targets/qubes/target.ts',
  xen: '@xen-ts/targets/xen/target.ts',
}

/** Absolute path of the target's module. Throws for a name that is no target. */
export function targetModule(name: string): string {
  const module = Object.hasOwn(modules, name) ? modules[name] : undefined
  if (!module) {
    const near = nearest(name, Object.keys(modules))
    throw new CliError(
      `there is no target ${name}`,
      `--target ${name}`,
      `targets are ${Object.keys(modules).join(' and ')}${near ? `; did you mean ${near}?` : ''}`,
    )
  }
  return fileURLToPath(import.meta.resolve(module))
}
