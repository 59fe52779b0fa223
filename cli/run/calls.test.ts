import type { CallOptions, CallResult } from '@xen-ts/rig/dom0'
import test from 'ava'
import { makeCalls } from './calls.ts'
import { parseCall } from './qubes-options.ts'

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Makes calls to a qube that answers as `answer` says; gives what was shown. */
async function shown(
  texts: string[],
  answer: (service: string, options: CallOptions) => Promise<Partial<CallResult>>,
  input: AsyncIterable<Uint8Array> = nothing(),
) {
  const lines: string[] = []
  const code = await makeCalls({
    qubes: { call: async (service, options = {}) => (await answer(service, options)) as CallResult },
    calls: texts.map(parseCall),
    input,
    onCallOutput: (call, stream, line) => lines.push(`${call.text} ${stream} ${line}`),
    onCallEnd: (call, code, error) => lines.push(`${call.text} ends with ${code}${error ? `: ${error}` : ''}`),
  })
  return { lines, code }
}

test('calls are made in order; output is shown in lines, the last one too when it has no end', async t => {
  const { lines, code } = await shown(['a', 'root:b+c'], async (service, { onStdout, onStderr, user }) => {
    onStdout!(Buffer.from(`${service} for `))
    onStdout!(Buffer.from(`${user}\nmore`))
    onStderr!(Buffer.from('hm\n'))
    return { code: 0 }
  })
  t.deepEqual(lines, [
    'a stdout a for user',
    'a stderr hm',
    'a stdout more',
    'a ends with 0',
    'root:b+c stdout b+c for root',
    'root:b+c stderr hm',
    'root:b+c stdout more',
    'root:b+c ends with 0',
  ])
  t.is(code, 0)
})

test('a character may come in two parts', async t => {
  const { lines } = await shown(['a'], async (_, { onStdout, onStderr }) => {
    for (const byte of Buffer.from('Grüße €\n')) onStdout!(Buffer.of(byte))
    onStderr!(Buffer.from('ü').subarray(0, 1))
    return { code: 0 }
  })
  t.deepEqual(lines, ['a stdout Grüße €', 'a stderr \ufffd', 'a ends with 0'])
})

test('the first call has the input, the others none', async t => {
  async function* typed() {
    yield Buffer.from('hello')
  }
  const inputs: unknown[] = []
  await shown(
    ['a', 'b', 'c'],
    async (_, { input }) => {
      inputs.push(typeof input === 'string' ? input : Buffer.concat(await Array.fromAsync(input as AsyncIterable<Uint8Array>)).toString())
      return { code: 0 }
    },
    typed(),
  )
  t.deepEqual(inputs, ['hello', '', ''])
})

test('the first exit code that is not 0 is the result; a call without one counts as 125, and the next is made', async t => {
  const { lines, code } = await shown(['a', 'b', 'c', 'd'], async service => {
    if (service === 'b') throw new Error('went away\n  at length')
    return { code: service === 'c' ? 7 : 0 }
  })
  t.is(code, 125)
  t.deepEqual(lines, ['a ends with 0', 'b ends with 125: went away', 'c ends with 7', 'd ends with 0'])
})
