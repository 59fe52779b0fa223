/** Hostile ends of a vchan: every row of the table in Node and in the guest's engine. */
import test from 'ava'
import { fileURLToPath } from 'node:url'
import { suite } from '@xen-ts/boot/node/suite.ts'

await suite(test, import.meta.resolve('./vchan.cases.ts'), { setup: [fileURLToPath(import.meta.resolve('@xen-ts/drivers/sim/engine-setup.ts'))] })
