// collections, objects, strings, functions
import _ from 'lodash'

export default async say => {
  const people = [
    { name: 'Ann', age: 42 },
    { name: 'Bob', age: 17 },
    { name: 'Cat', age: 42 },
  ]
  say(
    _.chain(people)
      .filter('age')
      .groupBy('age')
      .mapValues(list => _.map(list, 'name'))
      .value(),
  )
  say([_.orderBy(people, ['age', 'name'], ['asc', 'desc']).map(p => p.name), _.sumBy(people, 'age'), _.chunk([1, 2, 3], 2)])
  say([
    _.get({ a: [{ b: 1 }] }, 'a[0].b'),
    _.set({}, 'x.y[1]', 2),
    _.merge({ a: { b: 1 } }, { a: { c: 2 } }),
    _.isEqual({ a: new Date(0) }, { a: new Date(0) }),
  ])
  say([_.camelCase('foo bar-baz'), _.kebabCase('fooBar'), _.deburr('déjà'), _.template('<%= a %>!')({ a: 1 }), _.escape('<a>')])
  say([_.cloneDeep({ a: new Map([[1, { b: 2 }]]) }).a.get(1).b, _.range(3), _.curry((a, b) => a + b)(1)(2)])
  let calls = 0
  const once = _.debounce(() => ++calls, 5)
  once()
  once()
  await new Promise(resolve => setTimeout(resolve, 30))
  say(calls)
}
