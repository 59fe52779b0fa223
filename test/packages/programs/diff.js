// lines, words, patches
import { applyPatch, createPatch, diffChars, diffLines, diffWords } from 'diff'

export default async say => {
  say(diffWords('the quick fox', 'the slow fox').map(({ value, added, removed }) => [value, !!added, !!removed]))
  say(diffChars('abc', 'abd').length)
  const patch = createPatch('a.txt', 'one\ntwo\n', 'one\n2\n')
  say(patch)
  say([applyPatch('one\ntwo\n', patch), diffLines('a\nb\n', 'a\n').length])
}
