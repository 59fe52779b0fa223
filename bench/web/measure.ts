/** How often something can be done in a second. */

export interface Clock {
  /** Milliseconds. */
  now(): number
}

export interface Row {
  /** What is counted. */
  readonly title: string
  /** Of that, per second. */
  readonly rate: number
}

/** How long (ms) each is done, after once that does not count. */
const LONG = 400

/** @param amount of what the title counts, done by each call of `work` */
export async function rowOf({ now }: Clock, title: string, amount: number, work: () => Promise<unknown>): Promise<Row> {
  await work()
  const start = now()
  let done = 0
  do {
    await work()
    done += amount
  } while (now() - start < LONG)
  return { title, rate: (done * 1000) / (now() - start) }
}
