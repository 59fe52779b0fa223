/** The report of `xen-ts check` on the terminal. */
import { kib, type SizeRow, sizeTree } from '../build/report.ts'
import type { NativeShare } from '../native/make.ts'
import type { CheckReport, NamedUse } from './check.ts'
import type { Profile } from './profile.ts'

/** Rows of a part that are shown before the rest is summed up. */
const MOST_FILES = 8
const MOST_FUNCTIONS = 20

export function textReport({
  name,
  version,
  target,
  sizes,
  memoryMiB,
  native,
  profile,
  globals,
  nodeModules,
  warnings,
}: CheckReport): string {
  const parts = [
    `${name} ${version} for target ${target}`,
    sizeTree(shortened(sizes)).join('\n'),
    ...(memoryMiB === undefined ? [] : [`memory     ${memoryMiB} MiB at least`]),
    ...(native === undefined || native.length === 0 ? [] : [nativeText(native)]),
    ...(profile?.graph === undefined ? [] : [graphOf(profile.graph)]),
    ...(profile === undefined ? [] : [profileText(profile)]),
    ...(globals === undefined ? [] : [uses('globals that are not of the language', globals)]),
    uses('modules of Node', nodeModules),
    ...warnings.map(warning => `warning: ${warning.replaceAll('\n', '\n  ')}`),
  ]
  return `${parts.join('\n\n')}\n`
}

/** Devices and arguments: the first line says what the report's does. */
export const graphOf = (graph: string): string => graph.split('\n').slice(1).join('\n') || 'devices    none'

/** Machine code by function. */
function nativeText(native: readonly NativeShare[]): string {
  const total = native.reduce((sum, { bytes }) => sum + bytes, 0)
  const row = (text: string, bytes: number) =>
    `${text.padEnd(46)} ${kib(bytes).padStart(11)} ${((bytes / total) * 100).toFixed(1).padStart(6)}%`
  const rest = native.slice(MOST_FUNCTIONS)
  const sum = rest.reduce((sum, { bytes }) => sum + bytes, 0)
  return [
    row(`machine code of ${native.length} functions`, total),
    ...native.slice(0, MOST_FUNCTIONS).map(({ name, file, bytes }) => row(`  ${name} ${file}`.trimEnd(), bytes)),
    ...(rest.length === 0 ? [] : [row(`  ${rest.length} others`, sum)]),
  ].join('\n')
}

const ends: readonly (readonly [RegExp, string])[] = [
  [/^serves (\S+) (\d+)$/, 'it serves $1 on port $2'],
  [/^waits (.+)$/, 'it waits for $1, a device that is not there in a check'],
  [/^waits$/, 'it waits for something that does not come in a check'],
  [/^ends$/, 'it ends'],
  [/^fails$/, 'it fails'],
]

export function endOf({ end }: Profile): string {
  const [pattern, text] = ends.find(([pattern]) => pattern.test(end))!
  return end.replace(pattern, text)
}

/** What the times are, and are not. */
export const PROFILE_NOTE =
  "measured in the guest's engine under Node, on this computer, without devices: compare them with each other, not with those on Xen"

function profileText(profile: Profile): string {
  const { modules, load, prepare, start, end, output } = profile
  const shown = modules.slice(0, MOST_FILES)
  const rest = modules.slice(MOST_FILES)
  const row = (text: string, time: number) => `${text.padEnd(46)} ${time.toFixed(2).padStart(8)} ms`
  return [
    `before the first request (${PROFILE_NOTE})`,
    row('  top levels of modules', load),
    ...shown.map(({ name, milliseconds }) => row(`    ${name}`, milliseconds)),
    ...(rest.length === 0
      ? []
      : [
          row(
            `    ${rest.length} others`,
            rest.reduce((sum, one) => sum + one.milliseconds, 0),
          ),
        ]),
    row('  arguments and devices', prepare),
    row('  start()', start),
    `  until ${endOf(profile)}`,
    ...(end === 'fails' ? [output.trimEnd().replaceAll(/^/gm, '  | ')] : []),
  ].join('\n')
}

function uses(title: string, names: readonly NamedUse[]): string {
  if (names.length === 0) return `${title}: none`
  return [
    title,
    ...names.map(({ name, present, files: [first, ...more] }) => {
      const others = more.length === 0 ? '' : ` and ${more.length} more`
      return `  ${name.padEnd(24)} ${present ? '      ' : 'absent'}  ${first}${others}`
    }),
  ].join('\n')
}

/** The files of a package are many: the largest, and the others as one. */
function shortened(row: SizeRow): SizeRow {
  const parts = row.parts?.map(shortened)
  if (parts === undefined || parts.length <= MOST_FILES + 1) return { ...row, parts }
  const [shown, rest] = [parts.slice(0, MOST_FILES), parts.slice(MOST_FILES)]
  return { ...row, parts: [...shown, { name: `${rest.length} others`, bytes: rest.reduce((sum, { bytes }) => sum + bytes, 0) }] }
}
