import test from 'ava'
import { nearest } from './nearest.ts'

test('finds what was meant', t => {
  t.is(nearest('qbues', ['xen', 'qubes']), 'qubes')
  t.is(nearest('hello', ['hallo', 'help']), 'hallo')
  t.is(nearest('--memroy', ['--memory', '--maxmem']), '--memory')
})

test('says nothing when nothing is near', t => {
  t.is(nearest('windows', ['xen', 'qubes']), undefined)
  t.is(nearest('x', []), undefined)
})
