import test from 'ava'
import { addEventListener, ErrorEvent, handlers, PromiseRejectionEvent, removeEventListener } from './error-events.ts'
import { dispatchError, dispatchUnhandledRejection } from './errors.ts'

const scope: any = Object.defineProperties({ addEventListener, removeEventListener }, handlers)

test('a rejection is told to who listens; preventDefault takes it', t => {
  t.false(dispatchUnhandledRejection(new Error('nobody listens')))
  const reason = { why: 'no error at all' }
  const promise = Promise.reject(reason)
  promise.catch(() => {})
  const seen: PromiseRejectionEvent[] = []
  const look = (event: PromiseRejectionEvent) => seen.push(event)
  const take = (event: Event) => event.preventDefault()
  scope.addEventListener('unhandledrejection', look)
  t.false(dispatchUnhandledRejection(reason, promise))
  scope.addEventListener('unhandledrejection', take)
  t.true(dispatchUnhandledRejection(reason, promise))
  scope.removeEventListener('unhandledrejection', take)
  t.false(dispatchUnhandledRejection(undefined))
  scope.removeEventListener('unhandledrejection', look)
  t.deepEqual(
    seen.map(({ type, reason, isTrusted, cancelable }) => [type, reason, isTrusted, cancelable]),
    [reason, reason, undefined].map(each => ['unhandledrejection', each, true, true]),
  )
  t.is(seen[0].promise, promise)
  t.is(seen[0].target as unknown, globalThis)
})

test('onunhandledrejection and onerror are handlers with their own ways to prevent', t => {
  scope.onunhandledrejection = () => false
  t.true(dispatchUnhandledRejection(1))
  scope.onunhandledrejection = () => true
  t.false(dispatchUnhandledRejection(1))
  scope.onunhandledrejection = 'no function'
  t.is(scope.onunhandledrejection, null)
  const seen: unknown[] = []
  scope.onerror = (...args: unknown[]) => seen.push(args) > 0
  const error = new TypeError('thrown')
  error.stack = '    at f (app.js:12:34)\n    at g (app.js:1:2)\n'
  t.true(dispatchError(error))
  t.deepEqual(seen, [['Uncaught TypeError: thrown', 'app.js', 12, 34, error]])
  t.true(dispatchError(null))
  scope.onerror = null
  t.false(dispatchError(error))
})

test('the events can be made by programs', t => {
  const error = new ErrorEvent('error', { message: 'm', filename: 'f', lineno: 1, colno: 2, error: 3 })
  t.deepEqual([error.message, error.filename, error.lineno, error.colno, error.error, error.isTrusted], ['m', 'f', 1, 2, 3, false])
  t.throws(() => new PromiseRejectionEvent('x', {} as any), { instanceOf: TypeError })
})
