import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pages } from './pages.ts'

test('the front page', async () => {
  const response = await pages.request('/')
  assert.equal(response.status, 200)
  assert.match(await response.text(), /<h1>{{name}}<\/h1>/)
})

test('what comes from outside is escaped', async () => {
  const response = await pages.request('/hello/%3Cscript%3E')
  assert.match(await response.text(), /Hello, &lt;script&gt;/)
})

test('a page that does not exist', async () => {
  assert.equal((await pages.request('/nowhere')).status, 404)
})
