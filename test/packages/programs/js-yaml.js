// load, dump, types, errors
import * as yaml from 'js-yaml'

export default async say => {
  say(yaml.load('a: &x {b: 1}\nc: *x\nd: [~, true, 0x1f, 1e3]\nf: >\n  folded\n  text\n'))
  say(yaml.dump({ z: [1, { y: 'x: y' }], a: 'two\nlines', n: null }, { sortKeys: true }))
  try {
    yaml.load('a: [1')
  } catch (error) {
    say([error.name, error.reason])
  }
}
