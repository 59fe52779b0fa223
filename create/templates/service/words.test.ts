import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countWords } from './words.ts'

test('words are counted', () => {
  assert.equal(countWords('one two\n three\n'), 3)
  assert.equal(countWords(' \n'), 0)
})
