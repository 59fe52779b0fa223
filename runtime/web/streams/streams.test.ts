import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import * as ownWeb from '../inject.ts'
import { asInNode } from '../testing.ts'
import { streamsScenarios } from './streams.cases.ts'

asInNode(test, streamsScenarios, ownWeb)

test('a pipe keeps nothing of the chunks that went through it', async t => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const heap = (): number => {
    gc()
    return process.memoryUsage().heapUsed
  }
  let chunks = 0
  let early = 0
  const source = new ownWeb.ReadableStream({
    pull(controller) {
      if (++chunks === 10_000) early = heap()
      if (chunks < 60_000) controller.enqueue(chunks)
      else controller.close()
    },
  })
  const { signal } = new AbortController()
  let grown = 0
  await source.pipeTo(
    new ownWeb.WritableStream({
      close() {
        grown = heap() - early
      },
    }),
    { signal },
  )
  t.true(grown < 2_000_000, `${grown} bytes more after 50,000 chunks`)
})
