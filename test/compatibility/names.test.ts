/** docs/compatibility.md says of each name what is so: whether it is there, what is missing, what it adds to an image. */
import test from 'ava'
import { nameRows, nameTables } from './names.ts'
import { isSame, renew, rowsOf } from './page.ts'

test('the tables of names', async t => {
  t.timeout(300_000)
  const now = await nameRows()
  for (const { table } of nameTables) {
    const page = rowsOf(table)
    const wrong = now[table].filter((row, i) => page[i] === undefined || !isSame(row, page[i])).map(row => row.join(' | '))
    t.deepEqual(wrong, [], renew)
    t.is(page.length, now[table].length, renew)
  }
})

test('two rows are the same but for a small difference in size', t => {
  t.true(isSame(['a', 'yes', '', '10'], ['a', 'yes', '', '14']))
  t.true(isSame(['a', 'yes', '', '200'], ['a', 'yes', '', '215']))
  t.false(isSame(['a', 'yes', '', '10'], ['a', 'yes', '', '15']))
  t.false(isSame(['a', 'yes', '', '10'], ['a', 'no', '', '10']))
  t.false(isSame(['a', 'yes', '', '10'], ['a', 'yes', '', '']))
})
