// pipes, lenses, transducers
import * as R from 'ramda'

export default async say => {
  say(
    R.pipe(
      R.filter(n => n % 2 === 1),
      R.map(R.multiply(2)),
      R.sum,
    )([1, 2, 3]),
  )
  say(R.over(R.lensPath(['a', 'b']), R.inc, { a: { b: 1 } }))
  say(R.into([], R.compose(R.map(R.add(1)), R.take(2)), [1, 2, 3]))
  say([
    R.groupBy(R.prop('k'), [
      { k: 'a', v: 1 },
      { k: 'b', v: 2 },
    ]),
    R.equals({ a: [1] }, { a: [1] }),
    R.mergeDeepRight({ a: { b: 1 } }, { a: { c: 2 } }),
  ])
}
