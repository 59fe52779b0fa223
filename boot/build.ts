/** `make kernel`: the ABI's header, the engine, the kernel. Each step is skipped when its inputs have not changed. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { cHeader } from './abi/generate.ts'
import { buildEngine } from './engine/build.ts'
import { buildKernel } from './kernel/build.ts'

const folder = fileURLToPath(new URL('./build/', import.meta.url))

mkdirSync(folder, { recursive: true })
writeFileSync(`${folder}abi.h`, cHeader())
await buildEngine({ out: `${folder}engine` })
await buildKernel({ engineDir: `${folder}engine`, out: `${folder}kernel.elf` })
