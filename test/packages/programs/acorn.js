// JavaScript to a tree
import { parse, tokenizer } from 'acorn'

export default async say => {
  const tree = parse('export const f = async (a = 1, ...b) => { await a?.b ?? `x${b}` }', { ecmaVersion: 'latest', sourceType: 'module' })
  say(tree.body[0].declaration.declarations[0].init)
  say([...tokenizer('a + /x/', { ecmaVersion: 2020 })].map(token => token.type.label))
}
