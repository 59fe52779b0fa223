import test from 'ava'
import * as ownWeb from '../inject.ts'
import { asInNode } from '../testing.ts'
import { formDataScenarios } from './form-data.cases.ts'

asInNode(test, formDataScenarios, ownWeb)

test('a question mark at the begin of an urlencoded body is one of the name', async t => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  t.deepEqual([...(await new ownWeb.Response('?a=b', { headers }).formData())], [['?a', 'b']])
})

test('a file without a name is a file', async t => {
  const form = new ownWeb.FormData()
  form.append('a', new ownWeb.File([], ''))
  const back = (await new ownWeb.Response(form).formData()).get('a')
  if (!(back instanceof ownWeb.File)) throw new Error('it is no file')
  t.deepEqual([back.name, back.size, back.type], ['', 0, 'application/octet-stream'])
})
