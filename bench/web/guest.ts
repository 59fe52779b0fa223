/** What runs in the guest's engine as a Linux program, and prints its rows as JSON. There is no event loop: promise jobs are all. */
<<<<<<< HEAD
import { cryptoRows, ourSubtle } from './crypto.ts'
=======
import './guest-globals.ts'
import { bodiesRows, ourBodies } from './bodies.ts'
>>>>>>> bodies

declare const now: () => number
declare const print: (text: string) => void

<<<<<<< HEAD
;(globalThis as any).setTimeout ??= (run: () => void) => void Promise.resolve().then(run)

cryptoRows({ now }, ourSubtle()).then(
=======
bodiesRows({ now }, ourBodies).then(
>>>>>>> bodies
  rows => print(JSON.stringify(rows)),
  error => print(`${error}\n${error.stack}`),
)
