/** Packages of npm do in the guest's engine what docs/compatibility.md says: a program for each, whose output under Node is the judge. */
import test from 'ava'
import { judged, packageRow, programs } from './packages.ts'
import { isSame, renew, rowsOf } from './page.ts'

let said: Record<string, readonly string[]> = {}

test.before('under Node', async t => {
  t.timeout(600_000) // the first time npm installs them
  said = await judged()
})

for (const program of programs) {
  test.serial(program, async t => {
    t.timeout(120_000)
    t.true(said[program].length > 0, 'it says something')
    const row = await packageRow(program, said[program])
    const [packages, what] = row
    const onPage = rowsOf('packages').find(cells => cells[0] === packages && cells[1] === what)
    t.true(onPage !== undefined && isSame(row, onPage), `now: ${row.join(' | ')}\npage: ${onPage?.join(' | ')}\n${renew}`)
  })
}

test('the page has no others', t => {
  t.is(rowsOf('packages').length, programs.length, renew)
})
