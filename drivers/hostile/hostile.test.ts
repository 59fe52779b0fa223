/** Peers that misbehave: one table each, every row in Node and in the guest's engine. */
import test from 'ava'
import { fileURLToPath } from 'node:url'
import { suite } from '@xen-ts/boot/node/suite.ts'

const setup = [fileURLToPath(import.meta.resolve('../sim/engine-setup.ts'))]
await suite(test, import.meta.resolve('./netback.cases.ts'), { setup })
