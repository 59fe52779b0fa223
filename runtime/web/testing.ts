/** For tests: runs a scenario with our own classes and with Node's, to compare what came out. */
export type Web = Record<string, any>

/** What a scenario returned, or the name of what it threw. */
export async function outcome(scenario: (web: Web) => unknown, web: Web): Promise<unknown> {
  try {
    return { result: await scenario(web) }
  } catch (error) {
    return { thrown: error instanceof Error || error instanceof DOMException ? error.name : String(error) }
  }
}
