/** What a xenstore daemon may do: to its messages, and to the ring. */
import type { Reply } from '../sim/index.ts'
import type { HostileStore, Row } from './xenstored.ts'

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, character => character.charCodeAt(0))
const event = (payload: string): Reply => ({ type: 15, requestId: 0, transactionId: 0, payload: bytesOf(payload) })
const error = (reply: Reply, payload: string): Reply => ({ ...reply, type: ERROR, payload: bytesOf(payload) })
/** Types of messages (io/xs_wire.h). */
const DIRECTORY = 1
const READ = 2
const START = 6
const ERROR = 16
const END = 7
const PART = 22

const errors = (tamper: Row['tamper'], warnings = 0): Row => ({ tamper, outcome: 'errors', warnings })
const bears = (tamper: Row['tamper'], warnings = 0): Row => ({ tamper, outcome: 'bears', warnings })
/** Only messages of one type. */
const only =
  (type: number, change: (reply: Reply) => Reply[]) =>
  (reply: Reply): Reply[] =>
    reply.type === type ? change(reply) : [reply]
/** Directories must be asked for in parts, and this is what each part is. */
const parts = (change: (reply: Reply, count: number) => Reply) => {
  let count = 0
  /** A part beyond the end of what there really is. */
  const isBeyond = ({ type, payload }: Reply): boolean => type === ERROR && String.fromCharCode(...payload) === 'EINVAL\0'
  return (reply: Reply): Reply[] =>
    reply.type === DIRECTORY
      ? [error(reply, 'E2BIG\0')]
      : [reply.type === PART || isBeyond(reply) ? change({ ...reply, type: PART }, count++) : reply]
}
const transactionId = (text: string): Row => ({
  ...errors(only(START, reply => [{ ...reply, payload: bytesOf(text) }])),
  noTransaction: true,
})

/** Keeps every other message until the next, or for a moment when there is none. */
function swapped(): (reply: Reply, peer: HostileStore) => Reply[] {
  let kept: Reply | undefined
  const late = new Set<Reply>()
  return (reply, { xen, connection }) => {
    if (late.has(reply)) return [reply]
    const before = kept
    kept = before === undefined ? reply : undefined
    if (before !== undefined) return [reply, before]
    xen.setTimer(100, () => {
      if (kept !== reply) return
      kept = undefined
      late.add(reply)
      connection.send(reply)
      connection.flush()
    })
    return []
  }
}

export const messages: Readonly<Record<string, Row>> = {
  'answers of the wrong type': errors(reply => [{ ...reply, type: 11 + (reply.type & 1) }], 1),
  'answers of a type that does not exist': errors(reply => [{ ...reply, type: 0xffffffff }], 1),
  'the end of a transaction answered with another type': errors(
    only(END, reply => [{ ...reply, type: START }]),
    1,
  ),
  'an error that is no name': errors(reply => [error(reply, '\0\x01 rubbish')]),
  'an error that is empty': errors(reply => [error(reply, '')]),
  'an error of 4,096 bytes': errors(reply => [error(reply, 'E'.repeat(4096))]),
  'an error that has no end': errors(reply => [error(reply, 'EPERM')]),
  'an error that nobody knows': errors(reply => [error(reply, 'EWHATEVER\0')]),
  'no room for anything': errors(reply => [error(reply, 'ENOSPC\0')]),
  'EAGAIN for everything': errors(reply => [error(reply, 'EAGAIN\0')]),
  'EAGAIN at the end of every transaction': errors(only(END, reply => [error(reply, 'EAGAIN\0')])),
  'EAGAIN inside of every transaction': errors(reply =>
    reply.transactionId !== 0 && reply.type !== END ? [error(reply, 'EAGAIN\0')] : [reply],
  ),
  'EBUSY for every transaction': errors(only(START, reply => [error(reply, 'EBUSY\0')])),
  'a transaction id that is no number': transactionId('many\0'),
  'a transaction id that is empty': transactionId(''),
  'a transaction id of 0': transactionId('0\0'),
  'a transaction id below 0': transactionId('-1\0'),
  'a transaction id of 33 bits': transactionId('4294967296\0'),
  'a transaction id of 4,000 digits': transactionId('1'.repeat(4000)),
  'a transaction that does not exist': transactionId('4000000000\0'),
  'a directory that is too long, and has no parts': errors(parts(reply => error(reply, 'EINVAL\0'))),
  'a directory without end': errors(parts(reply => ({ ...reply, payload: bytesOf(`1\0${'name\0'.repeat(800)}`) }))),
  'a directory that changes with every part': errors(parts((reply, count) => ({ ...reply, payload: bytesOf(`${count}\0name\0`) }))),

  'a directory in parts that are empty': bears(parts(reply => ({ ...reply, payload: bytesOf('') }))),
  'a directory of 4,096 empty names': bears(only(DIRECTORY, reply => [{ ...reply, payload: new Uint8Array(4096) }])),
  'a value of 4,096 bytes of anything': bears(
    only(READ, reply => [{ ...reply, payload: Uint8Array.from({ length: 4096 }, (_, i) => 255 - i) }]),
  ),
  'a value of NULs': bears(only(READ, reply => [{ ...reply, payload: new Uint8Array(100) }])),
  'answers to requests that were never made, first': bears(
    reply => [{ ...reply, requestId: 0xdeadbeef }, { ...reply, requestId: 0 }, reply],
    1,
  ),
  'answers to requests that will be made': bears(reply => [{ ...reply, requestId: reply.requestId + 100 }, reply], 1),
  'every answer twice': bears(reply => [reply, reply], 1),
  'answers that name another transaction': bears(reply => [{ ...reply, transactionId: 0x7fffffff }]),
  'answers two by two in the wrong order': bears(swapped()),
  'watch events nobody asked for': bears(reply => [event('data\0w99\0'), reply]),
  'watch events without token': bears(reply => [event('data'), reply], 1),
  'watch events without anything': bears(reply => [event(''), reply], 1),
  'watch events of 4,096 bytes': bears(reply => [event(`${'x'.repeat(4090)}\0w99\0`), reply]),
  'watch events for keys that are not watched': bears(reply => [event('/somewhere/else\0w1\0'), reply]),
  'a watch event with an id, a transaction and a third string': bears(reply => [
    { ...event('data\0w1\0more\0'), requestId: 7, transactionId: 9 },
    reply,
  ]),
  'a storm of watch events': bears(reply => [...Array.from({ length: 200 }, () => event('data\0w1\0')), reply]),
  'a storm of answers to nothing': bears(
    reply => [...Array.from({ length: 200 }, (_, i) => ({ ...reply, requestId: 0x80000000 + i })), reply],
    1,
  ),
}

const RSP_CONS = 2056 / 4
const RSP_PROD = 2060 / 4
const REQ_CONS = 2048 / 4
const REQ_PROD = 2052 / 4

const breaks = (spoil: Row['spoil']): Row => ({
  outcome: 'breaks',
  spoil: async peer => {
    await spoil?.(peer)
    peer.event()
  },
})

/** Writes bytes where the guest reads next, and shows them. */
const show = ({ words, bytes }: HostileStore, message: readonly number[]): void => {
  for (const byte of message) bytes[1024 + (words[RSP_PROD]++ & 1023)] = byte
}
const header = (type: number, id: number, length: number): number[] => [...new Uint8Array(Uint32Array.of(type, id, 0, length).buffer)]

export const ring: Readonly<Record<string, Row>> = {
  'a response index that passes the ring by one': breaks(({ words }) => {
    words[RSP_PROD] += 1025
  }),
  'a response index that goes back': breaks(({ words }) => {
    words[RSP_PROD]--
  }),
  'a response index half the numbers away': breaks(({ words }) => {
    words[RSP_PROD] += 0x80000000
  }),
  'a request index that is ahead of what was asked': breaks(async peer => {
    peer.words[REQ_CONS] += 5000
    void peer.xenstore.read('domid').catch(() => {}) // it looks when it has something to say
    await peer.xen.settle()
  }),
  'a request index far behind': breaks(async peer => {
    peer.words[REQ_CONS] -= 5000
    void peer.xenstore.read('domid').catch(() => {})
    await peer.xen.settle()
  }),
  'a page of zeros': breaks(({ bytes }) => {
    bytes.fill(0)
  }),
  'a page of ones': breaks(({ bytes, words }) => {
    bytes.fill(0xff)
    words[RSP_PROD] += 77
  }),
  'a message one byte longer than the protocol allows': breaks(peer => show(peer, header(2, 1, 4097))),
  'a message of 4 GiB': breaks(peer => show(peer, header(2, 1, 0xffffffff))),
  'a bad message behind a good one': breaks(peer => {
    show(peer, [...header(15, 0, 8), ...bytesOf('data\0w1\0')])
    show(peer, header(15, 0, 5000))
  }),

  'our own indices overwritten in the page': {
    outcome: 'bears',
    spoil: async peer => {
      const { words } = peer
      const own = [words[REQ_PROD], words[RSP_CONS]]
      words[REQ_PROD] = words[RSP_CONS] = 0xdeadbeef
      peer.event()
      await peer.xen.settle()
      ;[words[REQ_PROD], words[RSP_CONS]] = own
    },
  },
  'a storm of events without a reason': {
    outcome: 'bears',
    spoil: async peer => {
      for (let i = 0; i < 500; i++) {
        peer.event()
        await peer.xen.settle()
      }
    },
  },
  'features and errors that nobody asked for': {
    outcome: 'bears',
    spoil: peer => {
      peer.words.fill(0xffffffff, 2064 / 4, 2080 / 4)
      peer.event()
    },
  },
  'rubbish all over the unused part of the page': {
    outcome: 'bears',
    spoil: peer => {
      peer.bytes.fill(0xa5, 2080)
      peer.event()
    },
  },
}
