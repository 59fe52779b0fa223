// dates, maps, sets, bigints, and back
import superjson from 'superjson'

export default async say => {
  const value = {
    when: new Date(0),
    map: new Map([[1, new Set(['a'])]]),
    big: 12n,
    none: undefined,
    re: /x/gi,
    url: new URL('http://a.example/'),
  }
  const text = superjson.stringify(value)
  say(text)
  const back = superjson.parse(text)
  say([back.when.getTime(), [...back.map.get(1)], back.big === 12n, 'none' in back, String(back.re), back.url.href])
}
