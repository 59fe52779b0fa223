/**
 * The same run in Node, by V8's interpreter, with a profile of what is counted: which of our functions the work is in. For a process of its own:
 *
 *	node --no-opt --no-maglev --no-sparkplug --allow-natives-syntax in-node.ts PEERS.js PROGRAM.js PROFILE
 *
 * (Not --jitless: Node reads TypeScript with WebAssembly.) All of the ABI is simulated here, and what it does is not of interest.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { createContext, Script } from 'node:vm'

const [peers, program, output] = process.argv.slice(2)
/** Microseconds between samples. */
const INTERVAL = 100

type Native = (...args: unknown[]) => unknown
const session = new Session()
session.connect()
session.post('Profiler.enable')
session.post('Profiler.setSamplingInterval', { interval: INTERVAL })

/** What samples within a call of it have is left out, by its name. */
function outside(work: Native, args: unknown[]): unknown {
  return work(...args)
}

function equalise(view: Uint32Array, own: Uint32Array, last: Uint32Array, isReadonly: boolean): number {
  for (let i = 0; i < view.length; i++) {
    const mine = view[i]! ^ last[i]!
    if (mine !== 0 && isReadonly) return i
    let mask = 0
    for (let byte = 0xff; byte !== 0; byte <<= 8) if ((mine & byte) !== 0) mask |= byte
    own[i] = view[i] = last[i] = (view[i]! & mask) | (own[i]! & ~mask)
  }
  return -1
}

const context = createContext({
  native: {
    bind:
      (_id: number, work: Native) =>
      (...args: unknown[]) =>
        outside(work, args),
    equalise,
    drain: new Function('%PerformMicrotaskCheckpoint()'),
    measure(on: number) {
      if (on === 1) session.post('Profiler.start')
      else
        session.post('Profiler.stop', (_error, { profile }) => {
          writeFileSync(output!, JSON.stringify(profile))
        })
    },
    clock() {},
    print: (text: string) => console.log(text),
    exit: (status: number) => process.exit(status),
  },
})
for (const file of [peers!, program!]) new Script(readFileSync(file, 'utf8'), { filename: file }).runInContext(context)
const { turn } = (context as { __xenTs: { turn(): void } }).__xenTs

setImmediate(function next() {
  turn()
  setImmediate(next)
})
