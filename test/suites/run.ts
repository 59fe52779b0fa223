/** Other projects' suites against this one: npm run suites -- FETCHED SUITE [options]; README.md says more. */
import { existsSync } from 'node:fs'

const suites = ['wpt', 'llhttp', 'test262', 'bodies']
const usage = `usage: npm run suites -- FETCHED ${suites.join('|')}|all [options]`

const [fetched, suite, ...rest] = process.argv.slice(2)
if (fetched === undefined || !existsSync(fetched) || !(suite === 'all' || suites.includes(suite))) {
  console.error(fetched !== undefined && !existsSync(fetched) ? `there is no folder ${fetched}\n${usage}` : usage)
  process.exit(2)
}
process.argv.splice(2, Infinity, fetched, ...rest)
for (const one of suite === 'all' ? suites : [suite]) {
  console.log(`== ${one}`)
  await import(`./${one}/run.ts`)
}
