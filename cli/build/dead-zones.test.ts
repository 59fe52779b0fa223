import { runInNewContext } from 'node:vm'
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { deadZones, withVar } from './dead-zones.ts'
import { treeOf, walk } from './syntax.ts'

function converted(code: string): string {
  const zones = deadZones()
  walk(treeOf(code), zones.visit)
  return withVar(code, zones.ranges())
}

const inFunction = (body: string) => `(function () { ${body} })()`

for (const [title, body, expected] of [
  ['a use behind the declaration', 'const a = 1; use(a)', 'var   a = 1; use(a)'],
  ['several, and patterns', 'let a = 1, { b, c: [d] } = a; use(a, b, d)', 'var a = 1, { b, c: [d] } = a; use(a, b, d)'],
  ['in a block', 'if (x) { const a = 1; use(a) }', 'if (x) { var   a = 1; use(a) }'],
  [
    'heads of loops',
    'for (let i = 0; i < 3; i++) use(i); for (const i of x) use(i)',
    'for (var i = 0; i < 3; i++) use(i); for (var   i of x) use(i)',
  ],
  ['a function that is an expression', 'const a = 1; later(() => a)', 'var   a = 1; later(() => a)'],
  ['a function that calls itself', 'const a = () => a()', 'var   a = () => a()'],
  ['a property of that name', 'use(x.a, { a: 1 }); const a = 1', 'use(x.a, { a: 1 }); var   a = 1'],
  ['a parameter of that name in a function before it', 'later(a => a); const a = 1', 'later(a => a); var   a = 1'],
] as const)
  test(`becomes var: ${title}`, t => {
    t.is(converted(inFunction(body)), inFunction(expected))
  })

for (const [title, body] of [
  ['a use before it', 'use(a); const a = 1'],
  ['a use in its own value', 'const a = f(a)'],
  ['a function in its own value that may be called at once', 'const a = f(() => a)'],
  ['a function declaration, which can be called before', 'f(); const a = 1; function f() { return a }'],
  ['an outer variable of that name', '{ const a = 1; use(a) } use(a)'],
  ['an outer variable of that name in a function', '{ const a = 1; use(a) } later(() => a)'],
  [
    'an outer variable of that name behind a block of a static block',
    '{ const a = 1; use(a) } class b { static { { let a = f(() => a) } later(() => a) } }',
  ],
  ['an outer variable in a default value', '{ const a = 1; use(a) } later((b = a) => { var a })'],
  ['another of that name inside', 'const a = 1; { const a = f(); use(a) }'],
  ['a parameter of that name', 'later(function (a) { { const a = 1; use(a) } })'],
  ['a caught error of that name', 'try { f() } catch (a) { { const a = 1; use(a) } }'],
  ['no value in a loop', 'while (f()) { let a; use(a); a = 1 }'],
  ['a function made in a loop', 'for (const a of x) later(() => a)'],
  ['functions of two blocks', '{ const a = 1; later(() => a) } { const a = 2; later(() => a) }'],
  ['an assignment to a constant', 'const a = 1; a = 2'],
  ['an assignment by a pattern', 'const a = 1; ({ b: a } = x)'],
  ['direct eval', 'const a = 1; eval("a")'],
  ['cases of a switch', 'switch (x) { case 1: const a = 1; case 2: use(a) }'],
] as const)
  test(`stays: ${title}`, t => {
    t.is(converted(inFunction(body)), inFunction(body))
  })

test('outside of functions all stays', t => {
  t.is(converted('const a = 1; { let b = a }'), 'const a = 1; { let b = a }')
})

/** Programs of few names, so that they meet: each tells the values it sees, and what fails. */
const name = fc.constantFrom('a', 'b', 'c')
const { program } = fc.letrec<{ program: string; statement: string; value: string }>(tie => {
  const body = fc.array(tie('statement'), { minLength: 1, maxLength: 4 }).map(all => all.join('; '))
  return {
    value: fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom('n++', '1') },
      { weight: 2, arbitrary: name },
      name.map(name => `() => ${name}`),
      name.map(name => `call(() => ${name})`),
      name.map(name => `function ${name}() { return typeof ${name} }`),
    ),
    statement: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc
        .tuple(fc.constantFrom('let', 'const', 'let', 'const', 'var'), name, tie('value'))
        .map(([kind, name, value]) => `${kind} ${name} = ${value}`),
      fc.tuple(name, name).map(([a, b]) => `const [${a}, ${b}] = [n++, n++]`),
      name.map(name => `let ${name}`),
      name.map(name => `tell(() => ${name})`),
      name.map(name => `tell(() => typeof ${name})`),
      name.map(name => `attempt(() => { ${name} = n++ })`),
      name.map(name => `later.push(() => ${name})`),
      fc.constant('for (const each of later.splice(0)) tell(each)'),
      body.map(body => `{ ${body} }`),
      fc.tuple(name, body).map(([name, body]) => `for (const ${name} of [n++, n++]) { ${body} }`),
      fc.tuple(name, body).map(([name, body]) => `for (let ${name} = 0; ${name} < 2; ${name}++) { if (n++ > 60) break; ${body} }`),
      fc.tuple(name, body).map(([name, body]) => `for (const key in { x: 1, y: 2 }) { const ${name} = key; ${body} }`),
      body.map(body => `attempt(() => { ${body} })`),
      body.map(body => `attempt((a = n++, [b] = [a]) => { ${body} })`),
      fc.tuple(name, body).map(([name, body]) => `attempt(function ${name}(c = ${name}) { ${body} })`),
      fc.tuple(name, body).map(([name, body]) => `function ${name}() { if (n++ > 60) return; ${body} }`),
      fc
        .tuple(name, body)
        .map(([name, body]) => `attempt(() => { class ${name} { static x = n++; y = typeof ${name}; static { ${body} } } new ${name} })`),
      fc.tuple(body, name, body).map(([body, name, handler]) => `try { ${body} } catch (${name}) { ${handler} }`),
      fc.tuple(body, body).map(([first, second]) => `switch (n % 2) { case 0: ${first}; case 1: ${second} }`),
    ),
    program: body,
  }
})

function outcome(code: string): string {
  const told: string[] = []
  const show = (value: unknown) => (typeof value === 'function' ? 'function' : String(value))
  const attempt = (f: () => unknown) => {
    try {
      return f()
    } catch (error) {
      told.push((error as Error).name)
    }
  }
  const context = {
    n: 0,
    later: [],
    attempt,
    call: (f: () => unknown) => attempt(f),
    tell: (f: () => unknown) => attempt(() => told.push(show(f()))),
  }
  attempt(() => runInNewContext(`${code}; for (const each of later) tell(each)`, context))
  return told.slice(0, 1000).join()
}

test('programs do the same afterwards', t => {
  let changed = 0
  fc.assert(
    fc.property(program, body => {
      const code = `attempt(() => { ${body} })`
      try {
        treeOf(code)
      } catch {
        return
      }
      const now = converted(code)
      if (now === code) return
      changed++
      t.is(outcome(now), outcome(code), code)
    }),
    runs({ few: 3000 }),
  )
  t.true(changed > 100, `${changed} programs were changed`)
})
