/**
 * Small functions that are called with values at every border: what a program of the grammar (program.ts) comes to once, these come to some
 * hundred times. Operands are arguments, variables, captured ones, constants and what was just found, in all orders, since a body has a way of
 * its own for each.
 */
import fc from 'fast-check'
import { Choices } from './choices.ts'
import { prelude } from './program.ts'

/** What they are called with: each with each. */
const values = `const values = [0, -0, 1, -1, 7, 31, 32, 255, 1073741824, 2147483647, -2147483648, 2147483648, 4294967295, 0.5, -1.5, 1e21, NaN, -Infinity,
  '', 'a', '12', 'two parts ' + 'of a text', 'é€', undefined, null, true, 0n, -5n, 1n << 70n, Symbol.iterator, seen(2), [1, 2.5, 'x'], box, bytes]`

const driver = `
const fresh = v => (Array.isArray(v) ? [...v] : v instanceof Uint8Array ? new Uint8Array(v) : v !== null && typeof v === 'object' ? { ...v } : v)
const each = (name, make) => {
  lines = 0
  for (let i = 0; i < values.length; i++) {
    const row = []
    for (let j = 0; j < values.length; j++) {
      fuel = 30
      try { row.push(show(make()(fresh(values[i]), fresh(values[j]), values[(i * 7 + j) % values.length], j - 1), 1)) }
      catch (e) { row.push(e instanceof Error ? e.name + ': ' + own(e, 'message') + (j === i ? own(e, 'stack') : '') : show(e)) }
    }
    print(name + ' ' + i + ': ' + row.join('; '))
  }
}
box = { a: 1, b: -0, x: 2147483647, f(v) { return v } }
bytes = new Uint8Array([1, 255, 3])
lines = 0`

interface Scope {
  readonly choices: Choices
  levels: number
}

const names = ['a', 'b', 'c', 'n', 'x', 'y', 'z', 'k', 'm']
const assigned = ['x', 'y', 'z', 'a', 'k', 'm']
const constants = [
  '0',
  '1',
  '-1',
  '5',
  '31',
  '100',
  '1000',
  '70000',
  '2147483647',
  '-2147483648',
  '0.5',
  'true',
  'null',
  'undefined',
  "''",
  "'t'",
]
const binary = ['+', '-', '*', '&', '|', '^', '>>', '>>>', '%', '/', '<', '<=', '>', '>=', '==', '!=', '===', '!==', '+', '-', '<']
const capped = ['<<', '**']

const leaf = ({ choices }: Scope): string => (choices.chance(60) ? `(${choices.of(constants)})` : choices.of(names))

function expression(scope: Scope): string {
  if (scope.levels <= 0) return leaf(scope)
  const { choices } = scope
  const inner = { choices, levels: scope.levels - 1 }
  const next = () => expression(inner)
  return choices.of([
    () => leaf(scope),
    () => `(${next()} ${choices.of(binary)} ${next()})`,
    () => `(${next()} ${choices.of(binary)} ${next()})`,
    () => `(${next()} ${choices.of(binary)} ${next()})`,
    () => `(${next()} ${choices.of(capped)} cap(${next()}))`,
    () => `(${choices.of(['-', '~', '!', '+', 'typeof ', 'void '])}${next()})`,
    () => `(${choices.of(assigned)} ${choices.of(['=', '+=', '-=', '*=', '&=', '|=', '%=', '>>>=', '??=', '||=', '&&='])} ${next()})`,
    () =>
      choices.chance(128) ? `(${choices.of(assigned)}${choices.of(['++', '--'])})` : `(${choices.of(['++', '--'])}${choices.of(assigned)})`,
    () => `(${next()} ? ${next()} : ${next()})`,
    () => `(${next()} ${choices.of(['&&', '||', '??'])} ${next()})`,
    () => `(${next()}, ${next()})`,
    () => `${choices.of(['a', 'b', 'o', 'l', 'o.p'])}?.${choices.of(['x', 'length', 'p', 'a'])}`,
    () => `${choices.of(['a', 'o', 'l', 'u'])}[${next()}]`,
    () =>
      `(${choices.of(['o.p', 'o.q', 'a.x', 'l.length', 'o.p.x', 'l[1]', 'u[n]', 'u[1]', 'l[n]', `o[at(${next()})]`])} ${choices.of(['=', '+=', '-='])} ${next()})`,
    () => `(${choices.of(['o.p', 'o.q', 'l[0]', 'u[n]', 'o.#r'].slice(0, 4))}${choices.of(['++', '--'])})`,
    () => `same(${next()}${choices.chance(128) ? `, ${next()}, ${next()}` : ''})`,
    () => `o.f(${next()})`,
    () => `[${next()}, ${next()}]`,
    () => `\`\${${next()}}${choices.of(['', '-'])}\``,
    () => `(arguments[${choices.below(3)}] ${choices.of(['=', '+=', '??='])} ${next()})`,
  ])()
}

function statement(scope: Scope): string {
  const { choices } = scope
  const value = () => expression({ choices, levels: 2 })
  const inner = () => (scope.levels > 0 ? statement({ choices, levels: scope.levels - 1 }) : `${choices.of(assigned)} = ${value()};`)
  return choices.of([
    () => `${choices.of(assigned)} = ${value()};`,
    () => `${choices.of(assigned)} += ${value()};`,
    () => `${choices.of(assigned)}${choices.of(['++', '--'])};`,
    () => `if (${value()}) { ${inner()} } else { ${inner()} }`,
    () => `for (let i = ${choices.of(['0', 'n', '2147483645', '-2', '0.5'])}, t = 0; t < 3 && ok(); i++, t++) { z = i; ${inner()} }`,
    () => `for (var j = 0; j < ${choices.of(['3', 'n', 'l.length'])} && ok(); j++) { ${inner()} x += j; }`,
    () => `try { ${inner()} ${inner()} } catch (e) { y = e; ${inner()} }`,
    () => `try { ${inner()} ${choices.of(['', 'return [x, y]', `if (${value()}) throw z`])} } finally { ${inner()} }`,
    () => `switch (${value()}) { case 1: ${inner()} case 'a': ${inner()} break; case ${value()}: ${inner()} default: ${inner()} }`,
    () =>
      `for (const v of [${value()}, ${value()}]) { z = v; if (${value()}) ${choices.of(['continue', 'break', `return ${value()}`])}; ${inner()} }`,
    () => `{ const { p, [n]: q = ${value()}, 0: r } = ${choices.of(['o', 'l', 'a'])}; x = [p, q, r]; }`,
  ])()
}

function writeFunction(bytes: Uint8Array, i: number): string {
  const choices = new Choices(bytes)
  const isStrict = choices.chance(120)
  const statements = choices.list(0, 4, () => statement({ choices, levels: 2 }))
  const result = expression({ choices, levels: 3 })
  return `each('${i}', () => { let k = 1, m = 'm'; return function f${i}(a, b, c, n) { ${isStrict ? "'use strict';" : ''}
let x = b, y = 0.5, z; const o = { p: a, q: 1, f(v) { return v === k ? this.q : v } }, l = [a, b, 3], u = new Uint8Array([1, 2, 255]), keep = () => [k++, m];
${statements.join('\n')}
return [${result}, x, y, z, a, b, keep(), o.p, l, u] } })`
}

export const writeDense = (functions: readonly Uint8Array[]): string =>
  `${prelude}\n${driver}\n${values}\nconst same = v => v\n${functions.map(writeFunction).join('\n')}`

export const dense = fc
  .array(fc.uint8Array({ minLength: 60, maxLength: 300, size: 'max' }), { minLength: 6, maxLength: 12, size: 'max' })
  .map(writeDense)
