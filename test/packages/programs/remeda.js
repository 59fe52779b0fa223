// data-first and data-last functions
import * as R from 'remeda'

export default async say => {
  say(
    R.pipe(
      [3, 1, 2, 3],
      R.unique(),
      R.sortBy(n => n),
      R.map(n => n * 2),
      R.take(2),
    ),
  )
  say([
    R.groupBy(['a', 'bb', 'cc'], text => String(text.length)),
    R.mergeDeep({ a: { b: 1 } }, { a: { c: 2 } }),
    R.pick({ a: 1, b: 2 }, ['a']),
  ])
}
