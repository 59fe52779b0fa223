import test from 'ava'
import { DOMException } from './dom-exception.ts'
import { Event, EventTarget } from './events.ts'
import { expose } from './expose.ts'
import * as inject from './inject.ts'
import { cloneScenarios } from './structured-clone.cases.ts'
import { wholeCrypto } from './subtle/all.ts'
import { asInNode } from './testing.ts'

const own = { ...inject, DOMException, Event, EventTarget }
expose({}, own)

asInNode(test, cloneScenarios, own)

test('objects of the platform are no data (Node clones some as if they were)', t => {
  for (const value of [new EventTarget(), new Event('x'), new own.MessageChannel().port1, new own.BroadcastChannel('x')]) {
    t.throws(() => own.structuredClone({ value }), { name: 'DataCloneError' })
  }
})

test('a view of a buffer that was transferred before cannot be cloned', t => {
  const view = new Uint8Array(2)
  view.buffer.transfer()
  t.throws(() => own.structuredClone(view), { name: 'DataCloneError' })
})

test('a File is cloned as one (not by Node)', async t => {
  const file = new own.File(['text'], 'name.txt', { type: 'text/plain', lastModified: 7 })
  const copy = own.structuredClone(file)
  t.not(copy, file)
  t.true(copy instanceof own.File)
  t.deepEqual([copy.name, copy.type, copy.lastModified, await copy.text()], ['name.txt', 'text/plain', 7, 'text'])
})

test('a key is cloned with what nobody sees of it', async t => {
  const { subtle } = wholeCrypto({ random: into => void into.fill(1) })
  const key = await subtle.importKey('raw', new Uint8Array(16), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const copy = own.structuredClone(key)
  t.not(copy, key)
  t.deepEqual([copy.type, copy.extractable, copy.usages], ['secret', false, ['sign']])
  const sign = (one: unknown) => subtle.sign('HMAC', one, new Uint8Array(3))
  t.deepEqual(await sign(copy), await sign(key))
})
