/**
 * Error.captureStackTrace, and a `stack` that begins with name and message, as V8 has them: QuickJS gives the frames alone. For errors that
 * the program makes; those that the engine itself throws (`cannot read property ...`) never pass here, and keep their frames.
 * Imported before any module that makes or extends errors.
 */

/** The frames of a stack, without what stands before them. '' when there are none. */
export function framesOf(stack: string): string {
  const start = stack.startsWith(FRAME) ? 0 : stack.indexOf(`\n${FRAME}`) + 1
  return start === 0 && !stack.startsWith(FRAME) ? '' : stack.slice(start)
}
const FRAME = '    at '

type Constructor = new (...args: any[]) => Error
const Native = Error as Constructor & { captureStackTrace?(target: object, above?: Function): void }

/** One for all of them: what is called as a function makes what its prototype says. */
const handler: ProxyHandler<Constructor> = {
  construct: (target, args, newTarget) => withTitle(Reflect.construct(target, args, newTarget)),
  apply: (target, _self, args) => withTitle(Reflect.construct(target, args, target.prototype.constructor as Constructor)),
}

function withTitle(error: Error): Error {
  return untitled(error, dropFrames(error.stack ?? '', 2))
}

/** The frames of errors whose stack nobody has looked at. */
const frames = new WeakMap<object, string>()

/**
 * As in Node a stack gets its name and message when it is looked at first: classes give themselves a name after super(), and who passes an
 * error on may write more into its message.
 */
const stack: PropertyDescriptor & ThisType<Partial<Error>> = {
  get() {
    // An error may be the prototype of others.
    for (let holder: object | null = this; holder !== null; holder = Object.getPrototypeOf(holder)) {
      const own = frames.get(holder)
      if (own === undefined) continue
      const text = `${titleOf(holder)}\n${own}`
      // Of a frozen one it cannot be kept.
      if (Reflect.defineProperty(holder, 'stack', plain(text))) frames.delete(holder)
      return text
    }
    return undefined
  },
  set(value: unknown) {
    Object.defineProperty(this, 'stack', plain(value))
    frames.delete(this)
  },
  configurable: true,
  enumerable: false,
}

const plain = (value: unknown): PropertyDescriptor => ({ value, writable: true, configurable: true, enumerable: false })

function untitled<T extends object>(target: T, own: string): T {
  Object.defineProperty(target, 'stack', stack)
  frames.set(target, own)
  return target
}

function titleOf(error: Partial<Error>): string {
  try {
    const { name = 'Error', message = '' } = error
    return message === '' ? String(name) : `${name}: ${message}`
  } catch {
    // A getter of a class whose constructor has not run yet.
    return 'Error'
  }
}

/** Without the first frames, which are this module's, and the newline at the end. */
function dropFrames(frames: string, count: number): string {
  let start = 0
  for (; count > 0; count--) start = frames.indexOf('\n', start) + 1
  return frames.slice(start).trimEnd()
}

function captureStackTrace(target: object, above?: Function): void {
  let own = dropFrames(new Native().stack ?? '', 1)
  if (typeof above === 'function' && above.name !== '') {
    // The engine tells names, not functions.
    const lines = own.split('\n')
    const last = lines.findIndex(line => line.startsWith(`${FRAME}${above.name} (`))
    if (last >= 0) own = lines.slice(last + 1).join('\n')
  }
  untitled(target, own)
}

if (Native.captureStackTrace === undefined) {
  const scope = globalThis as unknown as Record<string, Constructor>
  const names = 'Error EvalError RangeError ReferenceError SyntaxError TypeError URIError AggregateError InternalError'.split(' ')
  for (const name of names) {
    if (scope[name] === undefined) continue
    const wrapped = new Proxy(scope[name], handler)
    Object.defineProperty(wrapped.prototype, 'constructor', { value: wrapped, writable: true, configurable: true })
    // The others inherit from the new Error too.
    if (name !== 'Error') Object.setPrototypeOf(scope[name], scope.Error)
    Object.defineProperty(scope, name, { value: wrapped, writable: true, configurable: true })
  }
  // What V8 throws where the engine throws these: for `error instanceof RangeError`, after a recursion that was too deep.
  if (scope.InternalError !== undefined) Object.setPrototypeOf(scope.InternalError.prototype, scope.RangeError.prototype)
  Object.defineProperty(Native, 'captureStackTrace', { value: captureStackTrace, writable: true, configurable: true })
}
