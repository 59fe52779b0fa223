/** Values as readable text, for console.log and error reports. Never throws, whatever the value does. */

import { absentHintFor } from './absent.ts'
import { framesOf } from './web/error-stack.ts'
import { isClass, isPlatformObject } from './web/expose.ts'
import { isSlot } from './web/fetch/slots.ts'

/** Of a stack with more frames than these together. */
const FIRST_FRAMES = 30
const LAST_FRAMES = 10
const MAX_DEPTH = 3
const MAX_ITEMS = 100
const MAX_WIDTH = 76
/** Members of errors are shown as if they stood that deep: some hold a whole request. */
const ERROR_MEMBER_DEPTH = 2
/** Members of errors that are told elsewhere. */
const toldAlready = ['name', 'message', 'stack', 'cause', 'errors']

/** Joins arguments like console.log does: strings as they are, `%s %d %i %f %j %o %O %%` in the first filled in. */
export function format(...args: unknown[]): string {
  let rest = args
  let head: string | undefined
  if (typeof args[0] === 'string') {
    let used = 1
    head = args[0].replace(/%[sdifjoOc%]/g, directive => {
      if (directive === '%%') return args.length > 1 ? '%' : '%%'
      return used < args.length ? orRefusal(() => fillIn(directive, args[used++])) : directive
    })
    rest = args.slice(used)
  }
  const parts = rest.map(value => (typeof value === 'string' ? value : inspect(value)))
  return (head === undefined ? parts : [head, ...parts]).join(' ')
}

function fillIn(directive: string, value: unknown): string {
  switch (directive) {
    case '%s':
      return typeof value === 'string' ? value : inspect(value)
    case '%d':
      return typeof value === 'bigint' ? `${value}n` : String(Number(value))
    case '%i':
      return typeof value === 'bigint' ? `${value}n` : String(Number.parseInt(String(value), 10))
    case '%f':
      return String(Number.parseFloat(String(value)))
    case '%j':
      return JSON.stringify(value) ?? 'undefined'
    case '%c':
      return ''
    default:
      return inspect(value)
  }
}

export function inspect(value: unknown): string {
  return orRefusal(() => show(value, 0, []))
}

/** A value may throw whenever it is looked at. */
function orRefusal(text: () => string): string {
  try {
    return text()
  } catch (error) {
    return `[a value that cannot be shown: ${error instanceof Error ? error.name : 'error'}]`
  }
}

/** Name and message, for a log where the stack would say nothing: what a peer did. Never throws. */
export function describeBriefly(error: unknown): string {
  try {
    if (!(error instanceof Error)) return String(error)
    const { name, message } = error
    if (message === '') return name === '' ? 'Error' : name
    return name === 'Error' || name === '' ? message : `${name}: ${message}`
  } catch {
    return 'an error that cannot be shown'
  }
}

/** Name, message, stack, what else the error has, cause and collected errors. Stacks may begin with the message (web/error-stack.ts, and in V8) or not. */
export function describeError(error: unknown): string {
  return describeCause(error, [])
}

function describeCause(error: unknown, above: readonly unknown[]): string {
  try {
    if (!(error instanceof Error)) return above.length === 0 ? `thrown value ${inspect(error)}` : inspect(error)
    if (above.includes(error)) return `${error.name}, as above`
    const inner = [...above, error]
    const title = error.message === '' ? error.name : `${error.name}: ${error.message}`
    const stack = shorten((error.stack ?? '').trimEnd())
    // A stack may begin with what the error was called when it was made.
    let text = stack.startsWith(title) ? stack : stack === '' ? title : `${title}\n${framesOf(stack) || stack}`
    const more = membersOf(error, toldAlready, member => show(member, ERROR_MEMBER_DEPTH, inner as object[]))
    if (more.length > 0) text += ` ${block('', '{', more, '}')}`
    const hint = error instanceof ReferenceError ? absentHintFor(error.message) : undefined
    if (hint !== undefined) text += `\n${hint}`
    if (error instanceof AggregateError) for (const one of error.errors) text += `\n- ${describeCause(one, inner).replaceAll('\n', '\n  ')}`
    if (error.cause !== undefined && error.cause !== error) text += `\ncause: ${describeCause(error.cause, inner)}`
    return text
  } catch {
    return 'an error that cannot be shown'
  }
}

/** A recursion without end has 12,000 frames: what matters is where it went round, and where it began. */
function shorten(stack: string): string {
  const lines = stack.split('\n')
  const first = lines.findIndex(line => /^ +at /.test(line))
  const left = lines.length - first - FIRST_FRAMES - LAST_FRAMES
  if (first < 0 || left <= 1) return stack
  return [...lines.slice(0, first + FIRST_FRAMES), `    ... ${left} more ...`, ...lines.slice(-LAST_FRAMES)].join('\n')
}

function show(value: unknown, depth: number, above: readonly object[]): string {
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'bigint':
      return `${value}n`
    case 'function':
      return showFunction(value)
    case 'object':
      return value === null ? 'null' : showObject(value, depth, above)
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    default:
      return String(value)
  }
}

function quote(text: string): string {
  const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : '`'
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"')
  return mark + (mark === '"' || mark === "'" || !escaped.includes('`') ? escaped : escaped.replaceAll('`', '\\`')) + mark
}

function showFunction(value: Function): string {
  if (!isClass(value)) return value.name ? `[Function: ${value.name}]` : '[Function (anonymous)]'
  const parent = Object.getPrototypeOf(value)
  const base = typeof parent === 'function' && parent.name ? ` extends ${parent.name}` : ''
  return `[class ${value.name || '(anonymous)'}${base}]`
}

function showObject(value: object, depth: number, above: readonly object[]): string {
  if (above.includes(value)) return '[Circular]'
  if (value instanceof Error) return describeError(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof RegExp) return String(value)
  const name = className(value)
  if (depth > MAX_DEPTH) return Array.isArray(value) ? '[Array]' : `[${name || 'Object'}]`
  const inner = [...above, value]
  const one = (item: unknown) => show(item, depth + 1, inner)

  if (Array.isArray(value)) return block(name === 'Array' ? '' : `${name}(${value.length}) `, '[', items(value, value.length, one), ']')
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const array = value as Uint8Array
    return block(`${name}(${array.length}) `, '[', items(array, array.length, one), ']')
  }
  if (value instanceof ArrayBuffer) return `ArrayBuffer { byteLength: ${value.byteLength} }`
  if (value instanceof Map) {
    return block(
      `Map(${value.size}) `,
      '{',
      items(value, value.size, ([key, item]) => `${one(key)} => ${one(item)}`),
      '}',
    )
  }
  if (value instanceof Set) return block(`Set(${value.size}) `, '{', items(value, value.size, one), '}')
  if (value instanceof Promise) return 'Promise {}'
  if (isPlatformObject(value)) {
    // What they are is not in properties of their own.
    if ('href' in value) return `${name} { href: ${one(value.href)} }`
    const said = 'redirect' in value && 'method' in value ? OF_REQUEST : 'statusText' in value ? OF_RESPONSE : undefined
    if (said !== undefined) {
      const of = value as Record<string, unknown>
      return block(`${name} `, '{', [...said.map(key => `${key}: ${one(of[key])}`), ...membersOf(value, said, one)], '}')
    }
    const pairs = value as { [Symbol.iterator]?: () => Iterator<[string, string]>; entries?: () => Iterable<[string, string]> }
    if (pairs[Symbol.iterator] !== undefined && pairs.entries !== undefined) {
      const texts = items(pairs.entries(), Infinity, ([key, item]) => `${one(key)} => ${one(item)}`)
      return block(`${name} `, '{', texts, '}')
    }
  }
  const members = membersOf(value, [], one)
  return block(name === 'Object' ? '' : `${name || '[Object: null prototype]'} `, '{', members, '}')
}

function membersOf(value: object, without: readonly PropertyKey[], one: (item: unknown) => string): string[] {
  return Reflect.ownKeys(value)
    .filter(key => !without.includes(key) && !isPrivate(key) && !isSlot(key) && Object.prototype.propertyIsEnumerable.call(value, key))
    .map(key => {
      const property = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor
      const text = property.get ? (property.set ? '[Getter/Setter]' : '[Getter]') : property.set ? '[Setter]' : one(property.value)
      return `${showKey(key)}: ${text}`
    })
}

/** What is shown of these, in getters of their classes. */
const OF_REQUEST = ['method', 'url', 'headers', 'redirect']
const OF_RESPONSE = ['status', 'statusText', 'headers']

/** A private field of ours that a build has made plain (cli/build/private-fields.ts). */
const isPrivate = (key: PropertyKey): boolean => typeof key === 'string' && key.startsWith('ǀ')

function className(value: object): string {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null ? '' : String(prototype.constructor?.name ?? '')
}

function showKey(key: string | symbol): string {
  if (typeof key === 'symbol') return `[${String(key)}]`
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key)
}

function items<T>(values: Iterable<T>, length: number, one: (item: T) => string): string[] {
  const texts: string[] = []
  for (const item of values) {
    if (texts.length === MAX_ITEMS) {
      texts.push(length === Infinity ? '... more' : `... ${length - MAX_ITEMS} more`)
      break
    }
    texts.push(one(item))
  }
  return texts
}

/** On one line when it fits, otherwise a member a line. */
function block(head: string, open: string, parts: readonly string[], close: string): string {
  if (parts.length === 0) return `${head}${open}${close}`
  const line = `${head}${open} ${parts.join(', ')} ${close}`
  if (line.length <= MAX_WIDTH && !line.includes('\n')) return line
  return `${head}${open}\n${parts.map(part => `  ${part.replaceAll('\n', '\n  ')}`).join(',\n')}\n${close}`
}
