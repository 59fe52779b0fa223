/** What a module may import, and what its package must say for that. */
import { dirname, join, normalize } from 'node:path'
import { mentions, type Reference, references } from './references.ts'

export interface Manifest {
  readonly name: string
  readonly exports?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  /** What is used where it is installed; tests have it by devDependencies. */
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** A source tree: files by their path, packages by their folder; `''` is the root's, which stands for test/ and bench/. */
export interface Tree {
  readonly files: ReadonlyMap<string, string>
  readonly packages: ReadonlyMap<string, Manifest>
}

/** Shipping code imports what stands before it. What is not listed (examples, test, bench) stands on all of them. */
export const order = [
  '@xen-ts/boot',
  '@xen-ts/runtime',
  '@xen-ts/drivers',
  '@xen-ts/vchan',
  '@xen-ts/stack',
  '@xen-ts/qubes',
  '@xen-ts/targets',
  '@xen-ts/rig',
  'xen-ts',
  'create-xen-ts',
]

/** The miniature dom0 is worth something as a check of the agents as long as it has no line of theirs: not even its tests may. */
const strangers: Readonly<Record<string, string>> = { '@xen-ts/rig': '@xen-ts/qubes' }

/** What the tool gives to programs: its bundler finds it from its own folder. */
const offered: Readonly<Record<string, readonly string[]>> = { 'xen-ts': ['@xen-ts/drivers', '@xen-ts/qubes'] }

/** Tests, and what exists for them only. */
export const isForTests = (file: string): boolean =>
  /\.(test|cases)\.ts$/.test(file) ||
  /^(test|bench)\//.test(file) ||
  /(^|\/)(testing|fixtures?|sim|hostile|interleave)\//.test(file) ||
  /(^|\/)testing\.ts$/.test(file) ||
  /^runtime\/fake-kernel\.ts$|^boot\/node\/(suite|run|cases|cases-guest|case-report|ava-guest|fuzz)\.ts$/.test(file)

/** What runs while a program is built: what it imports is in no image. That of the house's packages runs where these are installed. */
const runsAtBuild = (file: string): boolean => /\.build\.ts$/.test(file)

/** Sentences, each with file and line; none when all is well. */
export function problems(tree: Tree): string[] {
  const result: string[] = []
  const byName = new Map([...tree.packages].map(([folder, manifest]) => [manifest.name, { folder, manifest }]))
  const used = new Map<string, { shipping: Set<string>; tests: Set<string> }>()
  for (const [file, source] of tree.files) {
    const folder = packageOf(file, tree)
    const manifest = tree.packages.get(folder)!
    const uses = used.get(folder) ?? { shipping: new Set(), tests: new Set() }
    used.set(folder, uses)
    for (const reference of references(file, source)) {
      const wrong = check(reference)
      if (wrong !== undefined) result.push(`${file}:${reference.line}: ${wrong}`)
    }

    function check({ specifier }: Reference): string | undefined {
      const forTests = isForTests(file) || (runsAtBuild(file) && !order.includes(manifest.name))
      if (specifier.startsWith('.')) {
        const target = normalize(join(dirname(file), specifier))
        if (unitOf(target, tree) !== unitOf(file, tree))
          return `${specifier} leads into ${unitOf(target, tree) || 'the root'}: import what that package exports`
        return !forTests && isForTests(target) ? `${specifier} is for tests` : undefined
      }
      if (specifier.startsWith('node:') || specifier.startsWith('/') || specifier.includes(':')) return undefined
      const [name, subpath] = split(specifier)
      if (name === manifest.name) return `${specifier} is this package: import by a relative path`
      if (strangers[manifest.name] === name) return `${manifest.name} shares no code with ${name}`
      ;(forTests ? uses.tests : uses.shipping).add(name)
      const declared = {
        ...manifest.dependencies,
        ...manifest.peerDependencies,
        ...(forTests || folder === '' ? manifest.devDependencies : {}),
      }
      if (!Object.hasOwn(declared, name))
        return `${name} is not in the ${forTests ? 'devDependencies or ' : ''}dependencies of ${folder || '.'}/package.json`
      const ours = byName.get(name)
      if (ours === undefined) return undefined
      const target = ours.manifest.exports?.[subpath]
      if (target === undefined) return `${name} does not export ${subpath}`
      if (forTests || folder === '') return undefined
      if (isForTests(join(ours.folder, target))) return `${specifier} is for tests`
      if (order.includes(manifest.name) && order.indexOf(name) >= order.indexOf(manifest.name))
        return `${manifest.name} stands below ${name}: the order is ${order.join(' < ')}`
      return undefined
    }
  }
  for (const [folder, manifest] of tree.packages) {
    if (folder === '') continue // the root's are tools, too
    const { shipping, tests } = used.get(folder) ?? { shipping: new Set(), tests: new Set() }
    const say = (text: string): void => {
      result.push(`${folder}/package.json: ${text}`)
    }
    const isMentioned = (name: string): boolean =>
      [...tree.files].some(([file, source]) => !isForTests(file) && packageOf(file, tree) === folder && mentions(file, source, name))
    // An example is built by the tool, whether it imports it or not.
    for (const name of order.includes(manifest.name) ? Object.keys(manifest.dependencies ?? {}) : []) {
      if (shipping.has(name) || offered[manifest.name]?.includes(name) || isMentioned(name)) continue
      say(tests.has(name) ? `only tests use ${name}: it belongs to the devDependencies` : `nothing uses ${name}`)
    }
    for (const name of Object.keys(manifest.devDependencies ?? {})) {
      if (!tests.has(name) && !Object.hasOwn(manifest.peerDependencies ?? {}, name)) say(`no test uses ${name}`)
    }
    for (const name of Object.keys(manifest.peerDependencies ?? {})) if (!shipping.has(name)) say(`nothing uses ${name}`)
    for (const [subpath, target] of Object.entries(manifest.exports ?? {})) {
      if (subpath.includes('*')) say(`${subpath} exports everything`)
      else if (/\.ts$/.test(target) && !tree.files.has(normalize(join(folder, target))))
        say(`${subpath} is exported, but there is no ${target}`)
    }
  }
  return result
}

/** The folder of the innermost package; `''` for the root's. */
function packageOf(file: string, { packages }: Tree): string {
  let folder = dirname(file)
  while (folder !== '.' && !packages.has(folder)) folder = dirname(folder)
  return folder === '.' ? '' : folder
}

/** Packages are units; within the root's, the folders are. */
const unitOf = (file: string, tree: Tree): string => packageOf(file, tree) || file.split('/')[0]

/** Name of the package, and the rest as `exports` has it. */
function split(specifier: string): [name: string, subpath: string] {
  const parts = specifier.split('/')
  const length = specifier.startsWith('@') ? 2 : 1
  return [parts.slice(0, length).join('/'), ['.', ...parts.slice(length)].join('/')]
}
