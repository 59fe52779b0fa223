import test from 'ava'
import { DOMException } from './dom-exception.ts'
import { Event, EventTarget } from './events.ts'
import { expose } from './expose.ts'
import * as inject from './inject.ts'
import { cloneScenarios } from './structured-clone.cases.ts'
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
