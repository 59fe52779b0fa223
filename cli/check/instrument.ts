/** Makes a bundle tell when the top level of each of its modules begins and ends: esbuild has made a function of each. */
import { treeOf, walk } from '../build/syntax.ts'

/** What stands at the beginning of such a text on the console, which programs do not write. */
export const MARK = '\u0000xen-ts-check '

/** esbuild's functions that make one of a module; the first argument is an object with that function, by the module's path. */
const makers = ['__esm', '__commonJS']

/** @param code of a bundle, an expression */
export function instrument(code: string): string {
  const ranges: { start: number; end: number }[] = []
  walk(treeOf(code), node => {
    if (node.type !== 'VariableDeclarator' || node.id.type !== 'Identifier' || !makers.includes(node.id.name) || !node.init) return
    ranges.push({ start: node.init.start, end: node.init.end })
  })
  let [text, at] = ['', 0]
  for (const { start, end } of ranges) {
    text += `${code.slice(at, start)}__timed(${code.slice(start, end)})`
    at = end
  }
  return `(__timed => ${text}${code.slice(at)})(${marking})\n`
}

/** In one line: those of the bundle stay where they are. */
const marking = [
  '...(abi => {',
  `const mark = globalThis.__xenTsMark = text => abi.consoleWrite(${JSON.stringify(MARK)} + text);`,
  'return [make => (modules, ...more) => {',
  'const [name] = Object.keys(modules), run = modules[name];',
  "const timed = function (...args) { mark('module ' + name); try { return run.apply(this, args) } finally { mark('end') } };",
  'return make({ [name]: timed }, ...more)',
  '}]',
  '})(globalThis.__abi)',
].join(' ')
