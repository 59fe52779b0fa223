/**
 * What URL and URLSearchParams have inside, under symbols for the reason of fetch/slots.ts: a server makes both for many requests. Programs
 * cannot see them by any name, and inspection leaves them out (runtime/format.ts).
 */

/** Of a URL: its record, and its parameters once somebody has asked for them. */
export const RECORD: unique symbol = Symbol('record')
export const PARAMS: unique symbol = Symbol('params')
/** Of URLSearchParams: its pairs, whether these are another's as well, and the URL they belong to. */
export const PAIRS: unique symbol = Symbol('pairs')
export const IS_SHARED: unique symbol = Symbol('isShared')
export const OWNER: unique symbol = Symbol('owner')
/** Of the class URL: its parameters say that they were changed. */
export const CHANGED: unique symbol = Symbol('changed')

/** Names and values of a query. */
export type Pairs = [name: string, value: string][]

export const urlSlots: readonly symbol[] = [RECORD, PARAMS, PAIRS, IS_SHARED, OWNER, CHANGED]
