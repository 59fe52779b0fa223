import test from 'ava'
import { withStats } from './stats.ts'

test('the line at the end is switched on beside what the program is told of its log', t => {
  t.deepEqual(withStats([]), ['--logs=counters:debug'])
  t.deepEqual(withStats(['name=x', '--logs=*:warn']), ['name=x', '--logs=*:warn,counters:debug'])
  t.deepEqual(withStats(['logs=http:debug', 'name=x']), ['logs=http:debug,counters:debug', 'name=x'])
})
