import test from 'ava'
import { abortScenarios } from './abort.cases.ts'
import { AbortController as OwnController, AbortSignal as OwnSignal } from './abort.ts'
import { CustomEvent as OwnCustomEvent } from './custom-event.ts'
import { DOMException as OwnException } from './dom-exception.ts'
import { Event as OwnEvent, EventTarget as OwnTarget } from './events.ts'
import { asInNode } from './testing.ts'

const own = {
  AbortController: OwnController,
  AbortSignal: OwnSignal,
  DOMException: OwnException,
  CustomEvent: OwnCustomEvent,
  Event: OwnEvent,
  EventTarget: OwnTarget,
}

asInNode(test, abortScenarios, own)

test('a listener that is added during a dispatch is called from the next one on (the standard; Node differs)', t => {
  const target = new OwnTarget()
  let calls = 0
  target.addEventListener('x', () =>
    target.addEventListener('x', () => {
      calls++
    }),
  )
  target.dispatchEvent(new OwnEvent('x'))
  t.is(calls, 0)
  target.dispatchEvent(new OwnEvent('x'))
  t.is(calls, 1)
})

test('a signal that lives long keeps no followers that nobody listens to', t => {
  const controller = new OwnController()
  let calls = 0
  for (let i = 0; i < 1_000; i++) {
    const follower = OwnSignal.any([controller.signal])
    const listener = () => {
      calls++
    }
    follower.addEventListener('abort', listener)
    if (i > 0) follower.removeEventListener('abort', listener)
  }
  controller.abort()
  t.is(calls, 1)
})
