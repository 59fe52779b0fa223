import assert from 'node:assert/strict'
import { test } from 'node:test'
import { greeting } from './greeting.ts'

test('the greeting names who is greeted', () => {
  assert.equal(greeting('Xen'), 'hello, Xen')
})
