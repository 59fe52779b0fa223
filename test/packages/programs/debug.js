// names, formats, switching on
import debug from 'debug'

export default async say => {
  debug.enable('a:*,-a:no')
  say([debug.enabled('a:x'), debug.enabled('a:no'), debug.enabled('b')])
  const log = debug('a:x')
  log.useColors = false
  log.log = (...args) =>
    say(
      String(args[0])
        .replace(/^.*a:x/, 'a:x')
        .replace(/\+\d+ms/, '')
        .trim(),
    )
  log('hello %d', 5)
}
