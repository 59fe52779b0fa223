/** Statements: every loop asks for fuel, and every block ends in a place of its own. */
import { classText } from './classes.ts'
import { args, arrayLiteral, condition, expression, iterable, number, object, objectLiteral, reference } from './expressions.ts'
import { asyncFunction, asyncGenerator, declaredFunction, generator } from './functions.ts'
import { literal } from './literals.ts'
import { declarationPattern } from './patterns.ts'
import { inside, type Kind, type Place, target } from './place.ts'

/** Up to `most` statements, in the place itself. */
export function block(place: Place, most: number): string {
  return place.choices.list(0, most, () => statement(place)).join(' ')
}

/** In braces. */
const braces = (place: Place, more: Partial<Place> = {}, most = 3): string => {
  const inner = inside(place, more)
  return `{ ${block(inner, most)} }`
}

export function statement(place: Place): string {
  return place.choices.of(place.levels <= 0 ? simple() : productions())(place)
}

const traced = (place: Place): string => `p(${expression(place)});`

function declaration(place: Place): string {
  const { choices } = place
  const [kind, value] = choices.of<readonly [Kind, (place: Place) => string]>([
    ['any', expression],
    ['number', number],
    ['number', number],
    ['object', objectLiteral],
    ['array', arrayLiteral],
    ['object', object],
    ['iterable', () => `counted(${choices.below(5)})`],
  ])
  const text = value(place)
  const word = choices.of(['let', 'let', 'const', 'var'])
  const name = choices.name('v')
  place.variables.push({ name, kind, constant: word === 'const' })
  return `${word} ${name} = ${text};`
}

function takenApart(place: Place): string {
  const { text, source } = declarationPattern(place)
  return `let ${text} = ${source};`
}

function assigned(place: Place): string {
  const { choices } = place
  const to = choices.chance(60) ? reference(place) : (target(place) ?? reference(place))
  return choices.of([() => `${to} = ${expression(place)};`, () => `${to}++;`, () => `${to} += ${number(place)};`, () => `--${to};`])()
}

const branch = (place: Place): string =>
  `if (${condition(place)}) ${braces(place)}${place.choices.chance(128) ? ` else ${braces(place)}` : ''}`

/** What has grown in a loop is made short again. */
const trimmed = (place: Place): string =>
  place.variables
    .filter(({ constant }) => !constant)
    .slice(-6)
    .map(({ name }) => `${name} = trim(${name});`)
    .join(' ')

function loop(place: Place): string {
  const { choices } = place
  const label = choices.chance(60) ? choices.name('L') : undefined
  const labels = label === undefined ? place.labels : [...place.labels, label]
  const inner = inside(place, { inLoop: true, labels })
  const bodyOf = (): string => `{ ${block(inner, 3)} ${trimmed(place)} }`
  const most = choices.below(6)
  const declare = (name: string, constant = false): string => {
    inner.variables.push({ name, kind: 'number', constant })
    return name
  }
  const head = label === undefined ? '' : `${label}: `
  const text = choices.of([
    () => {
      const i = declare(choices.name('i'))
      return `for (let ${i} = 0; ok() && ${i} < ${most}; ${i}++) ${bodyOf()}`
    },
    () => {
      const i = choices.name('i')
      const from = number(place)
      place.variables.push({ name: i, kind: 'number' })
      return `for (var ${i} = ${from}; ok() && ${i} < ${number(place)}; ${i} += 1) ${bodyOf()}`
    },
    () => {
      const from = iterable(place)
      const item = declare(choices.name('e'))
      return `for (${choices.of(['const', 'let'])} ${item} of ${from}) { if (!ok()) break; ${block(inner, 3)} }`
    },
    () => {
      const { text, source } = declarationPattern(inner)
      return `for (const ${text} of [${source}, ${source}]) { if (!ok()) continue; ${block(inner, 3)} }`
    },
    () => {
      // How often a proxy is asked meanwhile is the engine's own affair.
      const from = object(place).replace('proxied', 'box')
      const name = declare(choices.name('k'))
      return `for (const ${name} in ${from}) { if (!ok()) break; ${block(inner, 3)} }`
    },
    () => `while (ok() && ${condition(place)}) ${bodyOf()}`,
    () => `do ${bodyOf()} while (ok() && ${condition(place)})`,
    () => {
      // A variable of each iteration, kept by closures.
      const [i, list] = [declare(choices.name('i')), choices.name('c')]
      place.variables.push({ name: list, kind: 'array', constant: true })
      const kept = expression(inside(inner, { isAsync: false, isGenerator: false, inFunction: false, levels: 1 }))
      return `const ${list} = []; for (let ${i} = 0; ok() && ${i} < ${most}; ${i}++) { ${list}.push(() => [${i}++, ${kept}]); ${block(inner, 2)} } ${list}.forEach(f => p(f(), f()));`
    },
    () => {
      if (!place.isAsync) return `while (ok() && ${condition(place)}) ${bodyOf()}`
      const from = iterable(place)
      const item = declare(choices.name('e'), true)
      return `for await (const ${item} of ${from}) { if (!ok()) break; ${block(inner, 3)} }`
    },
  ])()
  // A label stands before the loop itself.
  return text.replace(/^(?:const \w+ = \[\]; )?/, `$&${head}`)
}

function choice(place: Place): string {
  const { choices } = place
  const inner = inside(place, { inSwitch: true })
  const cases = choices.list(1, 4, i => {
    // A name of another case that was not come by is in its dead zone.
    const before = inner.variables.length
    const head = i > 0 && choices.chance(50) ? `case ${expression(inner)}:` : `case ${literal(choices)}:`
    const text = `${head} ${block(inner, 2)} ${choices.chance(128) ? 'break;' : ''}`
    if (!choices.chance(20)) inner.variables.length = before
    return text
  })
  const otherwise = choices.chance(100) ? [`default: ${block(inside(inner), 2)}`] : []
  const at = choices.below(cases.length + 1)
  return `switch (${expression(place)}) { ${[...cases.slice(0, at), ...otherwise, ...cases.slice(at)].join(' ')} }`
}

function attempt(place: Place): string {
  const { choices } = place
  const tried = braces(place)
  const name = choices.name('x')
  const caught = (): string => {
    const inner = inside(place)
    inner.variables.push({ name, kind: 'object' })
    return choices.chance(40) ? `catch ${braces(place)}` : `catch (${name}) { where(${name}); ${block(inner, 3)} }`
  }
  const last = (): string => `finally { p('finally'); ${block(inside(place), 2)} }`
  return choices.of([() => `try ${tried} ${caught()}`, () => `try ${tried} ${caught()} ${last()}`, () => `try ${tried} ${last()}`])()
}

/** Out of where it stands. */
function exit(place: Place): string {
  const { choices, inFunction, inLoop, inSwitch, labels } = place
  const ways = [() => `if (${condition(place)}) throw ${choices.of(['new TypeError("made")', 'Error("made")', literal(choices)])};`]
  if (inFunction) ways.push(() => `if (${condition(place)}) return ${expression(place)};`)
  if (inLoop || inSwitch)
    ways.push(
      () => 'break;',
      () => `if (${condition(place)}) break;`,
    )
  if (inLoop)
    ways.push(
      () => `if (${condition(place)}) continue;`,
      () => 'continue;',
    )
  if (labels.length > 0) ways.push(() => `if (${condition(place)}) ${choices.of(['break', 'continue'])} ${choices.of(labels)};`)
  return choices.of(ways)()
}

function named(place: Place): string {
  const { choices } = place
  const name = choices.name('f')
  const text = declaredFunction(place, name)
  place.variables.push({ name, kind: 'function' })
  return `${text} p(${name}(${args(place)}));`
}

function generated(place: Place): string {
  const { choices } = place
  const [name, it] = [choices.name('g'), choices.name('it')]
  const isAsync = choices.chance(60)
  const text = isAsync ? asyncGenerator(place, name) : generator(place, name)
  place.variables.push({ name, kind: 'function' })
  const start = `${text} const ${it} = ${name}(${args(place)});`
  if (isAsync) return `${start} drive(${it}); ${place.isAsync ? `p(await ${it}.next(${expression(place)}));` : ''}`
  place.variables.push({ name: it, kind: 'iterable', constant: true })
  return `${start} ${choices.of([
    () => `for (const item of ${it}) { if (!ok()) break; p(item) }`,
    () => `p(${it}.next(), ${it}.next(${expression(place)}), ${it}.return(${expression(place)}), ${it}.next());`,
    () => `p(${it}.next()); try { p(${it}.throw(${expression(place)})) } catch (e) { where(e) }`,
    () => `p(...${it});`,
  ])()}`
}

function awaited(place: Place): string {
  const { choices } = place
  const name = choices.name('h')
  const text = asyncFunction(place, name)
  place.variables.push({ name, kind: 'function' })
  const call = `${name}(${args(place)})`
  return choices.of([
    () => `${text} watch(${call});`,
    () => `${text} ${place.isAsync ? `p(await ${call});` : `watch(${call}.finally(() => p('last')));`}`,
    () => `${text} watch(Promise.all([${call}, ${name}()]));`,
    () => `${text} watch(Promise.race([${call}, tick(1)]));`,
  ])()
}

function classed(place: Place): string {
  const { choices } = place
  const [name, one] = [choices.name('C'), choices.name('o')]
  const text = classText(place, name)
  place.variables.push({ name, kind: 'class' })
  const made = `const ${one} = new ${name}(${args(place)});`
  place.variables.push({ name: one, kind: 'object', constant: true })
  return `${text} ${made} p(${one}, ${one}.m?.(${args(place)}), ${one}.b, ${one}.c = ${expression(place)}, ${one}.r?.(), ${one}.u?.(), ${name}.m?.(1));`
}

/** As deep as the stack lets it: where that is only engines of the same kind agree on. */
function deep(place: Place): string {
  const { choices } = place
  const [name, n] = [choices.name('f'), choices.name('n')]
  const step = choices.of([
    `return 1 + ${name}()`,
    `return ${name}(...arguments)`,
    `try { return ${name}() } finally { ${n}++ }`,
    `return [1].map(${name})`,
    `class D { x = ${name}() } return new D()`,
  ])
  return `let ${n} = 0; function ${name}() { ${n}++; ${step} } try { ${name}() } catch (e) { depth(${n}, e) }`
}

const simple = () => [traced, traced, assigned, declaration, exit] as const
/** A function, since modules of the grammar need each other. */
const productions = (): readonly ((place: Place) => string)[] => [
  traced, traced, traced, assigned, assigned, assigned, declaration, declaration, declaration, declaration, takenApart, branch, branch, loop, loop,
  loop, choice, attempt, attempt, attempt, exit, exit, named, named, generated, awaited, classed, classed, deep,
] // biome-ignore format: a table
