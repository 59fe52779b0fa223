/** A locale that images do not have is said when the program is built: its texts would come in English. */
import test from 'ava'
import { buildFolder, folderOf, program } from './testing.ts'

test('a locale that is not English, in a file of the program: file, line, what to do; none for English, for packages, for variables', async t => {
  const { output, warnings } = await buildFolder(
    folderOf(t, {
      'app.ts': program(
        `say(new Date(0).toLocaleDateString('de-DE', { dateStyle: 'long' }))
say([new Intl.NumberFormat(['fr', 'en']).format(1), 'a'.localeCompare('b', 'sv')])
say([new Intl.NumberFormat('en-GB').format(1234.5), (1234.5).toLocaleString('en-US'), (1).toLocaleString(undefined), pack])`,
        `import pack from 'pack'`,
      ),
      'node_modules/pack/package.json': '{ "name": "pack", "main": "index.js" }',
      'node_modules/pack/index.js': "module.exports = (5).toLocaleString('pl')",
    }),
  )
  t.regex(output, /January 1, 1970\n[^]*1,-1\n[^]*1,234\.5,1,234\.5,1,5\n/)
  t.is(warnings.length, 3, warnings.join('\n\n'))
  t.regex(warnings[0], /^images have English texts only, not those of de-DE: take a package with its own, such as date-fns\n.*app\.ts:4:/)
  t.regex(warnings[1], /not those of fr: .*\n.*app\.ts:5:/)
  t.regex(warnings[2], /not those of sv: .*\n.*app\.ts:5:/)
})
