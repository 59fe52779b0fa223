#!/usr/bin/env node
import module from 'node:module'

// The one file of JavaScript here: a Node that cannot read TypeScript shall be able to say so.
if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error(`error: xen-ts needs Node 24 or newer, and this is ${process.versions.node}
  ${process.execPath}
  npx in the folder of xen-ts takes the right one; in the folder of a program it does after: npm install --save-dev node@24`)
  process.exitCode = 1
} else {
  // What was compiled once is not compiled at each start: half of its time.
  module.enableCompileCache?.()
  await import('./bin.ts')
}
