/** Makes the tables of docs/compatibility.md anew: `npm run compatibility [-- names|packages [BEGINNING]]`. */
import { nameRows, nameTables } from './names.ts'
import { judged, packageRow, programs, titleOf } from './packages.ts'
import { type Row, rowsOf, writeTable } from './page.ts'

const which = process.argv[2]
if (which !== 'packages') {
  const rows = await nameRows()
  for (const { table, head } of nameTables) writeTable(table, head, rows[table])
}
if (which !== 'names') {
  const chosen = programs.filter(name => name.startsWith(process.argv[3] ?? ''))
  const said = await judged(chosen)
  const old = rowsOf('packages')
  const rows: Row[] = []
  for (const program of programs) {
    const [packages, what] = titleOf(program)
    const start = performance.now()
    const row = chosen.includes(program)
      ? await packageRow(program, said[program])
      : old.find(one => one[0] === packages && one[1] === what)
    if (row === undefined) continue
    if (chosen.includes(program))
      console.log(`${program}: ${row[2]}, ${row[3] || '-'} KiB, ${((performance.now() - start) / 1000).toFixed(1)} s`)
    rows.push(row)
  }
  writeTable('packages', ['packages', 'what was tried', 'works', 'KiB'], rows)
}
