// matching
import { isMatching, match, P } from 'ts-pattern'

export default async say => {
  const what = value =>
    match(value)
      .with({ type: 'text', content: P.string.minLength(3).select() }, text => `long ${text}`)
      .with({ type: 'list', items: P.array(P.number) }, ({ items }) => `numbers ${items.length}`)
      .with([1, ...P.array()], () => 'begins with 1')
      .with(
        P.when(n => n > 10),
        () => 'big',
      )
      .otherwise(() => 'other')
  say([{ type: 'text', content: 'abc' }, { type: 'list', items: [1, 2] }, [1, 2], 11, null].map(what))
  say(isMatching({ a: P.union('x', 'y') }, { a: 'y' }))
}
