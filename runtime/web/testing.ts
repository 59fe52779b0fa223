/** For tests: the same scenario with our own classes and with Node's must come out the same. */
import type { TestFn } from 'ava'

/** Classes by name. */
export type Web = Record<string, any>
/** Each returns something that JSON can carry, or throws. */
export type Scenarios = Readonly<Record<string, (web: Web) => unknown>>

/** What a scenario returned, or the name of what it threw. */
export async function outcome(scenario: (web: Web) => unknown, web: Web): Promise<unknown> {
  try {
    return { result: await scenario(web) }
  } catch (error) {
    return { thrown: error instanceof Error ? error.name : String(error) }
  }
}

/** Registers a test for each scenario. */
export function asInNode(test: TestFn, scenarios: Scenarios, own: Web): void {
  for (const [name, scenario] of Object.entries(scenarios)) {
    test(`as in Node: ${name}`, async t => t.deepEqual(await outcome(scenario, own), await outcome(scenario, globalThis)))
  }
}
