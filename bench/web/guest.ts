/** What runs in the guest's engine as a Linux program, and prints its rows as JSON. There is no event loop: promise jobs are all. */
import './guest-globals.ts'
import { bodiesRows, ourBodies } from './bodies.ts'

declare const now: () => number
declare const print: (text: string) => void

bodiesRows({ now }, ourBodies).then(
  rows => print(JSON.stringify(rows)),
  error => print(`${error}\n${error.stack}`),
)
