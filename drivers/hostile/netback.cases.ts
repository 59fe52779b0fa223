/** Hostile network backends, by name: see netback.ts for what is checked of each. */
import { type Assert, type Case, cases } from '@xen-ts/boot/cases'
import { watchMemory } from '../sim/index.ts'
import { play, type Table } from './netback.ts'
import { beforehand, keys, life } from './netback-life.ts'
import { receiving, sending } from './netback-rings.ts'

watchMemory()

/** What needs an event to be noticed, with one event channel for both rings too. */
const oneChannel: Table = Object.fromEntries(
  Object.entries(sending).map(([name, row]) => [
    `${name}, with one event channel`,
    { ...(typeof row === 'function' ? { act: row } : row), backend: { features: ['sg', 'gso-tcpv4', 'rx-copy'] } },
  ]),
)

const rows = Object.entries({ ...receiving, ...sending, ...oneChannel, ...life }).map(
  ([name, row]) => [name, (t: Assert) => play(t, row)] as const,
)

export default cases(
  Object.fromEntries<Case>(
    [...rows, ...Object.entries({ ...beforehand, ...keys })].map(([name, run]) => [`hostile backend: ${name}`, run]),
  ),
)
