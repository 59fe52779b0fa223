import { readFileSync } from 'node:fs'
import test from 'ava'
import { abiHash, abiNames, waitPorts } from './abi.ts'
import { cHeader, tsInterface } from './generate.ts'
import { abiHash as hashOfTable } from './hash.ts'
import { abiTable } from './table.ts'

test('the committed abi.ts is what the table gives; otherwise run `node boot/abi/generate.ts`', t => {
  t.is(readFileSync(new URL('./abi.ts', import.meta.url), 'utf8'), tsInterface())
})

test('names, hash and limits are the same on both sides', t => {
  t.deepEqual(
    [...abiNames],
    abiTable.map(({ name }) => name),
  )
  t.is(abiHash, hashOfTable())
  const header = cHeader()
  t.true(header.includes(`#define ABI_HASH 0x${abiHash.toString(16).padStart(8, '0')}u\n`))
  t.true(header.includes(`#define ABI_WAIT_PORTS ${waitPorts}\n`))
})
