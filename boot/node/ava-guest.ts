/**
 * Stands in for ava when a test file runs in the guest's engine: collects its tests as cases. It has what tests of pure code use; a
 * test file that needs more of ava, or Node itself, cannot run there.
 */
import { AssertionError, assert, type Case, type Cases } from './cases.ts'
import { equal, show } from './equal.ts'

const tests: Record<string, Case> = {}
/** The tests of the files that were imported. */
export const collected: Cases = tests

type Work = (t: Execution, ...args: unknown[]) => unknown

interface Expectation {
  readonly instanceOf?: new (...args: never[]) => Error
  readonly is?: unknown
  readonly name?: string
  readonly code?: unknown
  readonly message?: string | RegExp | ((message: string) => boolean)
}

function test(title: string, work: Work, ...args: unknown[]): void {
  if (title in tests) throw new Error(`two tests have the title "${title}"`)
  tests[title] = async () => {
    const t = new Execution(title)
    try {
      await work(t, ...args)
    } finally {
      for (const clean of t.cleaners.reverse()) await clean()
    }
  }
}
test.serial = test
test.skip = (): void => {}
/** What is checked when all tests of a file are over is checked in Node. */
test.after = { always: (): void => {} }

export default test

function check(passed: boolean, what: string, message?: string): void {
  if (!passed) throw new AssertionError(message === undefined ? what : `${message}: ${what}`)
}

class Execution {
  readonly title: string
  readonly cleaners: (() => unknown)[] = []
  readonly is = assert.is
  readonly not = assert.not
  readonly true = assert.true
  readonly false = assert.false
  readonly deepEqual = assert.deepEqual

  constructor(title: string) {
    this.title = title
  }

  pass(): void {}
  log(): void {}
  plan(): void {}
  timeout(): void {}
  teardown(clean: () => unknown): void {
    this.cleaners.push(clean)
  }
  fail(message = 'fail() was called'): never {
    throw new AssertionError(message)
  }
  assert(actual: unknown, message?: string): void {
    check(Boolean(actual), `${show(actual)} is not truthy`, message)
  }
  truthy(actual: unknown, message?: string): void {
    this.assert(actual, message)
  }
  falsy(actual: unknown, message?: string): void {
    check(!actual, `${show(actual)} is not falsy`, message)
  }
  notDeepEqual(actual: unknown, other: unknown, message?: string): void {
    check(!equal(actual, other), `both are ${show(actual)}`, message)
  }

  regex(text: string, pattern: RegExp, message?: string): void {
    check(pattern.test(text), `${show(text)} does not match ${pattern}`, message)
  }

  notRegex(text: string, pattern: RegExp, message?: string): void {
    check(!pattern.test(text), `${show(text)} matches ${pattern}`, message)
  }

  like(actual: unknown, selector: unknown, message?: string): void {
    check(like(actual, selector), `${show(actual)} is not like ${show(selector)}`, message)
  }

  throws(work: () => unknown, expectation?: Expectation, message?: string): unknown {
    let result: unknown
    try {
      result = work()
    } catch (error) {
      return checkThrown(error, expectation, message)
    }
    return check(false, `nothing was thrown; it returned ${show(result)}`, message)
  }

  async throwsAsync(work: Promise<unknown> | (() => Promise<unknown>), expectation?: Expectation, message?: string): Promise<unknown> {
    let result: unknown
    try {
      result = await (typeof work === 'function' ? work() : work)
    } catch (error) {
      return checkThrown(error, expectation, message)
    }
    return check(false, `nothing was thrown; it resolved to ${show(result)}`, message)
  }

  notThrows(work: () => unknown): void {
    work()
  }
  async notThrowsAsync(work: Promise<unknown> | (() => Promise<unknown>)): Promise<void> {
    await (typeof work === 'function' ? work() : work)
  }
}

function checkThrown(error: unknown, expectation: Expectation = {}, message?: string): unknown {
  check(error instanceof Error, `${show(error)} was thrown, which is not an Error`, message)
  const thrown = error as Error & { code?: unknown }
  const { instanceOf, name, code, message: text } = expectation
  if (instanceOf) check(thrown instanceof instanceOf, `${show(error)} is not a ${instanceOf.name}`, message)
  if ('is' in expectation) check(Object.is(error, expectation.is), `${show(error)} is not ${show(expectation.is)}`, message)
  if (name !== undefined) check(thrown.name === name, `${show(error)} is not a ${name}`, message)
  if (code !== undefined) check(thrown.code === code, `the error's code is ${show(thrown.code)}, not ${show(code)}`, message)
  if (typeof text === 'string') check(thrown.message === text, `the error's message is ${show(thrown.message)}, not ${show(text)}`, message)
  else if (text instanceof RegExp)
    check(text.test(thrown.message), `the error's message ${show(thrown.message)} does not match ${text}`, message)
  else if (text) check(text(thrown.message), `the error's message ${show(thrown.message)} is not as expected`, message)
  return error
}

/** Everything that the selector has, the value has. */
function like(actual: unknown, selector: unknown): boolean {
  const isObject = (value: unknown) => typeof value === 'object' && value !== null
  if (!isObject(selector) || !isObject(actual)) return equal(actual, selector)
  const plain = Array.isArray(selector) || Object.getPrototypeOf(selector) === Object.prototype
  if (!plain) return equal(actual, selector)
  return Object.entries(selector as object).every(([key, part]) => like((actual as Record<string, unknown>)[key], part))
}
