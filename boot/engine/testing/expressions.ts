import { classExpression } from './classes.ts'
import { anyFunction, arrow, functionExpression } from './functions.ts'
import * as literals from './literals.ts'
import { assignmentPattern } from './patterns.ts'
import { functionIn, type Place, target, variable } from './place.ts'

/** An expression that can stand in brackets, as an argument, or behind `=`. */
export function expression(place: Place): string {
  const { choices } = place
  if (place.levels <= 0) return leaf(place)
  const deeper = { ...place, levels: place.levels - 1 }
  return choices.of(productions())(deeper)
}

/** A function, since modules of the grammar need each other. */
const productions = (): readonly ((place: Place) => string)[] => [
  leaf, leaf, leaf, leaf, binary, binary, binary, binary, unary, logical, comparison, comparison, assignment, assignment, update, conditional,
  property, property, property, optional, call, call, call, construct, arrayLiteral, objectLiteral, objectLiteral, template, traced, traced,
  functionExpression, arrow, classExpression, comma, suspend, suspend, special, destructuring, builtIn, builtIn, thrower, iteration,
] // biome-ignore format: a table

function leaf(place: Place): string {
  const { choices } = place
  const found = choices.chance(150) ? variable(place) : undefined
  return found?.name ?? literals.literal(choices)
}

/** A number, as far as one can know. */
export function number(place: Place): string {
  const found = place.choices.chance(120) ? variable(place, ['number']) : undefined
  if (found !== undefined) return found.name
  return place.levels > 0 && place.choices.chance(80) ? binary({ ...place, levels: place.levels - 1 }) : literals.number(place.choices)
}

const operand = (place: Place): string => (place.choices.chance(170) ? number(place) : expression(place))

/** Shifts and powers of large numbers would take all memory. */
const bounded = new Set(['**', '<<'])

function binary(place: Place): string {
  const operator = place.choices.of(['+', '-', '*', '/', '%', '**', '&', '|', '^', '<<', '>>', '>>>', '+', '+', '-', '*'])
  const left = operand(place)
  const right = operand(place)
  return `(${left} ${operator} ${bounded.has(operator) ? `cap(${right})` : right})`
}

function unary(place: Place): string {
  const operator = place.choices.of(['-', '+', '!', '~', 'typeof ', 'void '])
  return `(${operator}${operator === '!' || operator === 'typeof ' ? expression(place) : operand(place)})`
}

const logical = (place: Place): string => `(${expression(place)} ${place.choices.of(['&&', '||', '??'])} ${expression(place)})`

export function comparison(place: Place): string {
  const operator = place.choices.of(['<', '>', '<=', '>=', '==', '!=', '===', '!==', '<', '===', 'in', 'instanceof'])
  if (operator === 'in') return `(${propertyKey(place)} in ${object(place)})`
  if (operator === 'instanceof')
    return `(${expression(place)} instanceof ${variable(place, ['class'])?.name ?? place.choices.of(['Object', 'Array', 'Error', 'Map'])})`
  return `(${operand(place)} ${operator} ${operand(place)})`
}

function assignment(place: Place): string {
  const { choices } = place
  const operator = choices.of(['=', '=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '>>=', '>>>=', '&&=', '||=', '??=', '**=', '<<='])
  const left = choices.chance(90) ? reference(place) : (target(place) ?? reference(place))
  const right = expression(place)
  return `(${left} ${operator} ${bounded.has(operator.slice(0, -1)) ? `cap(${right})` : right})`
}

function update(place: Place): string {
  const operator = place.choices.of(['++', '--'])
  const left = place.choices.chance(90) ? reference(place) : (target(place) ?? reference(place))
  return place.choices.chance(128) ? `(${operator}${left})` : `(${left}${operator})`
}

const conditional = (place: Place): string => `(${condition(place)} ? ${expression(place)} : ${expression(place)})`

/** What an `if` or a loop asks. */
export const condition = (place: Place): string => (place.choices.chance(160) ? comparison(place) : expression(place))

/** An object, as far as one can know. */
export function object(place: Place): string {
  const { choices } = place
  const found = choices.chance(200) ? variable(place, ['object', 'array', 'function', 'class', 'iterable']) : undefined
  if (found !== undefined) return found.name
  return choices.of(['box', '[1, 2.5, -0]', '({ a: 1, b: -0, c: 2147483647 })', 'seen(3)', 'table', 'proxied', 'bytes'])
}

function propertyKey(place: Place): string {
  const { choices } = place
  return choices.of([() => `'${literals.key(choices)}'`, () => literals.small(choices), () => number(place), () => expression(place)])()
}

/** Something of an object that can be assigned to. */
export function reference(place: Place): string {
  const { choices, privates } = place
  if (privates.length > 0 && choices.chance(100)) return `this.#${choices.of(privates)}`
  if (place.inMethod && choices.chance(40)) return `super.${literals.key(choices)}`
  const name = literals.key(choices)
  // A length may become anything, and an array as long.
  return choices.chance(150) ? `${object(place)}.${name === 'length' ? 'x' : name}` : `${object(place)}[at(${propertyKey(place)})]`
}

function property(place: Place): string {
  const { choices } = place
  if (choices.chance(80)) return reference(place)
  return choices.chance(128) ? `${object(place)}.${literals.key(choices)}` : `${object(place)}[${propertyKey(place)}]`
}

const optional = (place: Place): string => {
  const { choices } = place
  const start = choices.chance(100) ? `(${expression(place)})` : object(place)
  return choices.of([
    () => `${start}?.${literals.key(choices)}`,
    () => `${start}?.[${propertyKey(place)}]`,
    () => `${start}?.a?.b.c`,
    () => `${start}.x?.(${args(place)})`,
    () => `(delete ${start}?.${literals.key(choices)})`,
    () => `${start}?.a.f?.(${args(place)})?.b`,
  ])()
}

export const args = (place: Place): string =>
  place.choices.list(0, 3, () => (place.choices.chance(30) ? `...${iterable(place)}` : expression(place))).join(', ')

function call(place: Place): string {
  const { choices } = place
  const found = variable(place, ['function'])
  return choices.of([
    () => `${found?.name ?? `(${anyFunction(place)})`}(${args(place)})`,
    () => `${object(place)}.${choices.of(['m', 'n', 'toString', 'valueOf'])}?.(${args(place)})`,
    () => `call(${found?.name ?? functionExpression(place)}, ${args(place)})`,
    () => `${found?.name ?? `(${anyFunction(place)})`}.call(${expression(place)}, ${expression(place)})`,
    () => `${found?.name ?? `(${anyFunction(place)})`}.apply(${expression(place)}, [${args(place)}])`,
    () => `(${expression(place)})(${args(place)})`,
  ])()
}

function construct(place: Place): string {
  const { choices } = place
  const found = variable(place, ['class', 'function'])
  return `new ${found?.name ?? choices.of(['Object', 'Map', 'Set', 'Error'])}(${found === undefined ? '' : args(place)})`
}

export function arrayLiteral(place: Place): string {
  const { choices } = place
  const items = choices.list(0, 4, () => (choices.chance(40) ? `...${iterable(place)}` : choices.chance(20) ? '' : expression(place)))
  return `[${items.join(', ')}]`
}

export function objectLiteral(place: Place): string {
  const { choices } = place
  const method = () => functionIn(place, { inMethod: true })
  const items = choices.list(0, 4, () =>
    choices.of([
      () => `${literals.key(choices)}: ${expression(place)}`,
      () => `[${propertyKey(place)}]: ${expression(place)}`,
      () => `...${object(place)}`,
      () => `get ${literals.key(choices)}() { if (!ok()) return 0; return p('get', ${expression(method())}) }`,
      () => `set ${literals.key(choices)}(value) { p('set', value); ${target(place) ?? 'box.a'} = value }`,
      () => `m(value = ${expression({ ...place, levels: 0 })}) { if (!ok()) return 0; return ${expression(method())} }`,
    ])(),
  )
  if (choices.chance(12)) items.push(`__proto__: ${object(place)}`)
  return `({ ${items.join(', ')} })`
}

function template(place: Place): string {
  const { choices } = place
  const pieces = choices.list(1, 3, () => `\${${expression(place)}}`).join(choices.of(['', ' ', '\\n', 'é']))
  return `${choices.chance(60) ? 'tag' : ''}\`${choices.of(['', 'x', '\\u{1f600}'])}${pieces}\``
}

/** Tells when it is evaluated. */
const traced = (place: Place): string => `p(${place.choices.below(10)}, ${expression(place)})`

const comma = (place: Place): string => `(${expression(place)}, ${expression(place)})`

/** Where the function can stop, it does. */
function suspend(place: Place): string {
  const { choices, isAsync, isGenerator } = place
  if (isGenerator && (!isAsync || choices.chance(128)))
    return choices.chance(40) ? `(yield* ${iterable(place)})` : `(yield ${expression(place)})`
  if (isAsync) return choices.of([() => `(await ${expression(place)})`, () => `(await tick(${expression(place)}))`, () => '(await null)'])()
  return expression(place)
}

function special(place: Place): string {
  const { choices, inFunction, privates } = place
  const names = ['this', 'globalThis.shared']
  if (inFunction) names.push('arguments', 'arguments.length', 'arguments[0]', 'new.target')
  if (privates.length > 0) names.push(`(#${choices.of(privates)} in ${object(place)})`, `this.#${choices.of(privates)}`)
  if (place.inMethod) names.push('super.a', 'super.toString')
  return choices.of(names)
}

const destructuring = (place: Place): string => assignmentPattern(place)

export function iterable(place: Place): string {
  const { choices } = place
  const found = choices.chance(120) ? variable(place, ['array', 'iterable'])?.name : undefined
  return (
    found ?? choices.of(['[]', '[1, 2]', 'seen(2)', "'a€'", 'new Set([1, -0, 1])', 'table', 'seen(3)', 'counted(3)', 'bytes', '[, 1, ,]'])
  )
}

function builtIn(place: Place): string {
  const { choices } = place
  const fn = () => variable(place, ['function'])?.name ?? arrow(place)
  return choices.of([
    () =>
      `Math.${choices.of(['floor', 'trunc', 'fround', 'imul', 'clz32', 'sign', 'abs', 'max', 'min', 'round'])}(${number(place)}, ${number(place)})`,
    () => `Number.${choices.of(['isInteger', 'isNaN', 'isSafeInteger'])}(${operand(place)})`,
    () => `String(${operand(place)})`,
    () => `Number(${operand(place)})`,
    () => `Object.is(${operand(place)}, ${operand(place)})`,
    () => `Object.keys(${object(place)})`,
    () => `Array.from(${iterable(place)}, ${fn()})`,
    () => `[3, 1, 2, -0].${choices.of(['map', 'filter', 'find', 'some', 'every', 'forEach', 'sort', 'flatMap', 'findLastIndex'])}(${fn()})`,
    () => `[5, 6, 7].reduce(${fn()}, ${expression(place)})`,
    () => `Reflect.ownKeys(${object(place)}).length`,
    () => `BigInt.asIntN(${choices.of(['8', '31', '32', '64'])}, BigInt(${number(place)}))`,
    () => `Object.freeze(${object(place)})`,
    () => `((bytes[${literals.small(choices)}] = ${operand(place)}), bytes)`,
    () =>
      `new ${choices.of(['Int8Array', 'Uint16Array', 'Int32Array', 'Float32Array', 'Float64Array', 'Uint8ClampedArray'])}([${number(place)}, ${number(place)}])`,
    () => `table.${choices.of(['get', 'has', 'delete'])}(${operand(place)})`,
    () => `table.set(${operand(place)}, ${expression(place)}).size`,
    () => `'a1b22'.replace(/\\d+/g, ${fn()})`,
    () => `parseInt(${literals.string(choices)})`,
    () => `Object.defineProperty({}, 'a', { get: ${fn()} }).a`,
  ])()
}

function thrower(place: Place): string {
  if (!place.choices.chance(90)) return expression(place)
  return `die(${expression(place)})`
}

function iteration(place: Place): string {
  const found = variable(place, ['iterable'])?.name ?? 'counted(2)'
  return `${found}.${place.choices.of(['next', 'next', 'return', 'throw'])}?.(${expression(place)})`
}
