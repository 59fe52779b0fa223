import test from 'ava'
import { reaches } from './source.ts'

test('a version of Debian is compared by the numbers of upstream', t => {
  for (const version of ['3.0+dfsg-1', '3.0', '3.1-2', '3.10+dfsg-1', '4-1', '1:3.0-1']) t.true(reaches(version, '3.0'), version)
  for (const version of ['2.7+dfsg-4+deb12u1', '2.9-1', '2-1', '1:2.8-1']) t.false(reaches(version, '3.0'), version)
  t.false(reaches('3.9-1', '3.10'))
})
