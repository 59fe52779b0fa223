/** What a program sees must be inferred. This file is a test by type-checking (`npm run typecheck`); running it proves little. */
import test from 'ava'
import type { ArgValues } from './args.ts'
import {
  type Assets,
  arg,
  assets,
  type Clock,
  type Connected,
  device,
  type HttpServer,
  http,
  type Log,
  type ProgramLog,
  type Stack,
  stack,
  unikernel,
} from './index.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(..._proof: Equal<A, B> extends true ? [] : ['types differ']) => {}

const args = {
  text: arg.string({ doc: '' }),
  textDefault: arg.string({ default: 'x', doc: '' }),
  textRequired: arg.string({ required: true, doc: '' }),
  number: arg.number({ default: 1, doc: '' }),
  flag: arg.boolean({ default: false, doc: '' }),
  choice: arg.choice(['fast', 'safe'], { default: 'safe', doc: '' }),
  choiceOpen: arg.choice(['fast', 'safe'], { doc: '' }),
  list: arg.list({ doc: '' }),
}

test('argument types follow from their declarations', t => {
  same<
    ArgValues<typeof args>,
    {
      readonly text: string | undefined
      readonly textDefault: string
      readonly textRequired: string
      readonly number: number
      readonly flag: boolean
      readonly choice: 'fast' | 'safe'
      readonly choiceOpen: 'fast' | 'safe' | undefined
      readonly list: readonly string[]
    }
  >()
  // @ts-expect-error the default must be one of the choices
  t.notThrows(() => arg.choice(['fast', 'safe'], { default: 'slow', doc: '' }))
  // @ts-expect-error a number's default is a number
  t.notThrows(() => arg.number({ default: '1', doc: '' }))
})

test('device types follow from their connect functions, asynchronous or not', t => {
  const base = device({ name: 'base', connect: async () => 5 })
  const user = device({
    name: 'user',
    needs: { base },
    connect: ({ base }, { signal, log }) => {
      same<typeof base, number>()
      same<typeof signal, AbortSignal>()
      same<typeof log, Log>()
      return { value: String(base) }
    },
  })
  const devices = { base, user, http: http(), net: stack(), site: assets({}) }
  same<
    Connected<typeof devices>,
    { readonly base: number; readonly user: { value: string }; readonly http: HttpServer; readonly net: Stack; readonly site: Assets }
  >()
  t.pass()
})

test('start receives devices, arguments and what is ambient, all typed', t => {
  unikernel({
    name: 'typed',
    args: { greeting: arg.string({ default: 'Hello', doc: '' }) },
    devices: { http: http(), counter: device({ name: 'counter', connect: () => new Set<number>() }) },
    async start({ http, counter, args, log, signal, clock, ...rest }) {
      same<typeof args.greeting, string>()
      same<typeof counter, Set<number>>()
      same<typeof clock, Clock>()
      same<typeof log, ProgramLog>()
      same<keyof typeof rest, 'random'>()
      // @ts-expect-error there is no such device
      void rest.screen
      await http.serve({ port: 80, signal }, async request => new Response(request.url))
    },
  })
  // @ts-expect-error start is missing
  t.throws(() => unikernel({ name: 'x' }))
})
