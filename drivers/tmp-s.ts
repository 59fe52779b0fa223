import { runTestFile } from '@xen-ts/boot/node/suite.ts'
import { fileURLToPath } from 'node:url'
const t=performance.now()
const r = await runTestFile(new URL('./vchan/vchan.test.ts', import.meta.url).href, { setup: [fileURLToPath(import.meta.resolve('@xen-ts/runtime/web/symbols.ts')), fileURLToPath(import.meta.resolve('./sim/engine-setup.ts'))], inject: [fileURLToPath(import.meta.resolve('@xen-ts/runtime/web/inject.ts'))] })
console.log(r.results.size, [...r.results].filter(x=>x[1]).map(x=>x[0]), performance.now()-t)
