// globs
import picomatch from 'picomatch'

export default async say => {
  const isMatch = picomatch(['src/**/*.{ts,js}', '!**/*.test.ts'])
  say(['src/a/b.ts', 'src/c.js', 'lib/d.ts'].map(path => isMatch(path)))
  say([picomatch.makeRe('a?[b-d]*.x').source, picomatch.scan('!./foo/*.js').glob])
}
