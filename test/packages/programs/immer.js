// drafts, patches, maps
import { applyPatches, enableMapSet, enablePatches, produce, produceWithPatches } from 'immer'

export default async say => {
  enableMapSet()
  enablePatches()
  const before = { list: [{ a: 1 }], map: new Map([['x', 1]]) }
  const after = produce(before, draft => {
    draft.list[0].a = 2
    draft.list.push({ a: 3 })
    draft.map.set('y', 2)
  })
  say([before.list, after.list, [...after.map], Object.isFrozen(after)])
  const [next, patches, inverse] = produceWithPatches({ a: { b: 1 } }, draft => void (draft.a.c = 2))
  say([next, patches, inverse, applyPatches(next, inverse)])
}
