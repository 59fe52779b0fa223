/**
 * Test cases that run in Node and in the guest's engine alike: a file of cases has `export default cases({ name: t => ... })`, and
 * the test beside it hands the file to suite() of suite.ts. Needs nothing of its surroundings but the language.
 */
import { equal, show } from './equal.ts'

export type Case = (t: Assert) => void | Promise<void>
export type Cases = Readonly<Record<string, Case>>

export interface Assert {
  /** Object.is. */
  is(actual: unknown, expected: unknown, message?: string): void
  not(actual: unknown, unexpected: unknown, message?: string): void
  true(actual: unknown, message?: string): void
  false(actual: unknown, message?: string): void
  /** The same structure: plain objects, arrays, typed arrays, Map, Set, Error. */
  deepEqual(actual: unknown, expected: unknown, message?: string): void
  /** Throws, with what is expected of the error; returns it. */
  throws(work: () => unknown, expected?: Expected): Error
  rejects(work: Promise<unknown> | (() => Promise<unknown>), expected?: Expected): Promise<Error>
  fail(message: string): never
}

export interface Expected {
  readonly name?: string
  readonly message?: string | RegExp
}

/** Names the cases of a file; the type check is all that it does. */
export function cases(all: Cases): Cases {
  return all
}

export class AssertionError extends Error {
  override name = 'AssertionError'
}

function check(passed: boolean, what: string, message?: string): void {
  if (!passed) throw new AssertionError(message === undefined ? what : `${message}: ${what}`)
}

function checkError(error: unknown, expected: Expected): Error {
  if (!(error instanceof Error)) throw new AssertionError(`${show(error)} was thrown, which is not an Error`)
  const { name, message } = expected
  if (name !== undefined) check(error.name === name, `the error is a ${error.name}, not a ${name} (${error.message})`)
  if (typeof message === 'string') check(error.message === message, `the error's message is ${show(error.message)}, not ${show(message)}`)
  if (message instanceof RegExp) check(message.test(error.message), `the error's message ${show(error.message)} does not match ${message}`)
  return error
}

export const assert: Assert = {
  is: (actual, expected, message) => check(Object.is(actual, expected), `${show(actual)} is not ${show(expected)}`, message),
  not: (actual, unexpected, message) => check(!Object.is(actual, unexpected), `it is ${show(actual)}`, message),
  true: (actual, message) => check(actual === true, `${show(actual)} is not true`, message),
  false: (actual, message) => check(actual === false, `${show(actual)} is not false`, message),
  deepEqual: (actual, expected, message) => check(equal(actual, expected), `${show(actual)} does not equal ${show(expected)}`, message),
  throws(work, expected = {}) {
    let result: unknown
    try {
      result = work()
    } catch (error) {
      return checkError(error, expected)
    }
    throw new AssertionError(`nothing was thrown; it returned ${show(result)}`)
  },
  async rejects(work, expected = {}) {
    let result: unknown
    try {
      result = await (typeof work === 'function' ? work() : work)
    } catch (error) {
      return checkError(error, expected)
    }
    throw new AssertionError(`nothing was thrown; it resolved to ${show(result)}`)
  },
  fail(message) {
    throw new AssertionError(message)
  },
}
