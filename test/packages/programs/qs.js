// nested queries, both ways
import qs from 'qs'

export default async say => {
  say(qs.parse('a[b][c]=1&d[]=2&d[]=3&e=%20x&f.g=4', { allowDots: true }))
  say([qs.stringify({ a: { b: [1, 2] }, c: 'x y', d: null }), qs.stringify({ a: [1, 2] }, { arrayFormat: 'brackets', encode: false })])
}
