/** What runs in the guest's engine as a Linux program, and prints its rows as JSON. There is no event loop: promise jobs are all. */
import './guest-globals.ts'
import { bodiesRows, ourBodies } from './bodies.ts'
import { cryptoRows, ourSubtle } from './crypto.ts'

declare const now: () => number
declare const print: (text: string) => void

;(globalThis as any).setTimeout ??= (run: () => void) => void Promise.resolve().then(run)

const rows = async () => [...(await cryptoRows({ now }, ourSubtle())), ...(await bodiesRows({ now }, ourBodies))]

rows().then(
  rows => print(JSON.stringify(rows)),
  error => print(`${error}\n${error.stack}`),
)
