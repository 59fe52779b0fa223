/** What either end of a vchan may do to the other once it is open, and what only one of them can. */
import { Byte, Live, Order, Word } from '../layout.ts'
import type { HostileClient, HostileServer, Row, Table } from './vchan.ts'
import { RING } from './vchan.ts'

type Peer = HostileServer | HostileClient

const ends = (act: Row<Peer>['act']): Row<Peer> => ({ act, outcome: 'ends' })
const bears = (act: Row<Peer>['act']): Row<Peer> => ({ act, outcome: 'bears' })
/** A change of one index. */
const index =
  (which: 'produced' | 'consumed', change: number): Row<Peer>['act'] =>
  peer => {
    peer.words[peer[which]] += change
    peer.kick()
  }

export const either: Table<Peer> = {
  'a producer index that passes the ring by one': index('produced', RING + 1),
  'a producer index that goes back': index('produced', -1),
  'a producer index half the numbers away': index('produced', 0x80000000),
  'a producer index of all ones': peer => {
    peer.words[peer.produced] = 0xffffffff
    peer.kick()
  },
  'a consumer index ahead of what was written': index('consumed', RING + 1),
  'a consumer index far behind': index('consumed', -5000),
  'a consumer index of all ones': peer => {
    peer.words[peer.consumed] = 0xffffffff
    peer.kick()
  },
  'a producer index that jumps between two looks': peer => {
    const { domain } = peer.set[peer.attacker === peer.set.server.domain ? 'client' : 'server']
    domain.hook = operation => {
      if (operation !== 'or8') return
      domain.hook = undefined
      peer.words[peer.produced] += 2 * RING
      peer.attacker.abi.fence()
    }
    peer.kick()
  },
  'all indices at once': peer => {
    peer.words.fill(0x12345678, 0, 4)
    peer.kick()
  },

  'a live byte that says gone': ends(peer => {
    peer.control[peer.ownLive] = Live.gone
    peer.kick()
  }),
  'a live byte without meaning': ends(peer => {
    peer.control[peer.ownLive] = 200
    peer.kick()
  }),
  'a live byte that says not yet, again': ends(peer => {
    peer.control[peer.ownLive] = Live.notYet
    peer.kick()
  }),
  'a live byte that says gone, and then alive again': ends(async peer => {
    peer.control[peer.ownLive] = Live.gone
    peer.kick()
    await peer.settle()
    peer.control[peer.ownLive] = Live.connected
    peer.kick()
  }),
  'an event channel that is closed without a word': ends(peer => peer.event.close()),
  'a page full of zeros': peer => {
    peer.control.fill(0, 0, RING)
    peer.kick()
  },

  'ring orders that change after the check': bears(peer => {
    peer.halves.fill(20, Order.left, Order.right + 1)
    peer.kick()
  }),
  'references that change after they were used': bears(peer => {
    peer.words.fill(0xffffffff, Word.grants)
    peer.kick()
  }),
  'our own indices overwritten in the page': bears(async peer => {
    const {
      words,
      channel,
      attacker,
      set: { xen },
    } = peer
    const own = [words[peer.inbound], words[peer.outbound]]
    words[peer.inbound] = words[peer.outbound] = 0xdeadbeef
    words[peer.produced] += 5
    peer.kick()
    const [bytes] = await xen.run(Promise.all([channel.readExactly(5), channel.write(new Uint8Array(7))]))
    await peer.settle()
    attacker.abi.fence()
    // They go on from where they really were.
    if (bytes?.length !== 5 || words[peer.inbound] !== own[0] + 5 || words[peer.outbound] !== own[1] + 7)
      throw new Error('the indices in the page were believed')
  }),
  'our own live byte cleared': bears(peer => {
    peer.control[peer.ownLive === Byte.serverLive ? Byte.clientLive : Byte.serverLive] = 0
    peer.kick()
  }),
  'notify bytes of all ones': bears(peer => {
    peer.control.fill(0xff, Byte.clientNotify, Byte.serverNotify + 1)
    peer.kick()
  }),
  'notify bytes cleared behind our back': bears(peer => {
    peer.control.fill(0, Byte.clientNotify, Byte.serverNotify + 1)
    peer.kick()
  }),
  'a ring that is full at once': bears(async peer => {
    const {
      words,
      channel,
      set: { xen },
    } = peer
    words[peer.produced] += RING
    peer.kick()
    if ((await xen.run(channel.readExactly(RING)))?.length !== RING) throw new Error('it was not read')
  }),
  'a byte at a time, an event each': bears(async peer => {
    const reading = peer.channel.readExactly(300)
    for (let i = 0; i < 300; i++) {
      peer.words[peer.produced]++
      peer.kick()
      await peer.settle()
    }
    await peer.set.xen.run(reading)
  }),
  'a storm of events without a reason': bears(async peer => {
    for (let i = 0; i < 500; i++) {
      peer.kick()
      await peer.settle()
    }
  }),
  'silence: nothing is read for an hour': bears(async peer => {
    const {
      words,
      channel,
      set: { xen },
    } = peer
    const writing = channel.write(new Uint8Array(RING + 100))
    await xen.advance(3_600_000)
    for (let i = 0; i < 2; i++) {
      peer.attacker.abi.fence()
      words[peer.consumed] = words[peer.outbound]
      peer.kick()
      await peer.settle()
    }
    await xen.run(writing)
  }),
}

/** Before a client of ours connects: what a server published that no client can use. It is refused with one warning. */
export const unusable: Readonly<Record<string, (peer: HostileServer) => void>> = {
  'a page of zeros': ({ control }) => control.fill(0, 0, RING),
  'a page of ones': ({ control }) => control.fill(0xff, 0, RING),
  'order 9': ({ halves }) => {
    halves[Order.left] = 9
  },
  'order 9 to us': ({ halves }) => {
    halves[Order.right] = 9
  },
  'order 21': ({ halves, words, refs }) => {
    words.fill(refs[1], Word.grants)
    halves[Order.right] = 21
  },
  'order 21 from us': ({ halves, words, refs }) => {
    words.fill(refs[1], Word.grants)
    halves[Order.left] = 21
  },
  'order 65535': ({ halves }) => {
    halves[Order.right] = 65535
  },
  'both rings on the same bytes': ({ halves }) => {
    halves.fill(11, Order.left, Order.right + 1)
  },
  'order 20 with references of 512 pages that are not granted': ({ halves }) => {
    halves.fill(20, Order.left, Order.right + 1)
  },
  'a reference that is not granted': ({ words }) => {
    words[Word.grants] = 400
  },
  'a reference of 0': ({ words }) => {
    words[Word.grants + 1] = 0
  },
  'a huge reference': ({ words }) => {
    words[Word.grants + 1] = 0xffffffff
  },
  'a server that is gone': ({ control }) => {
    control[Byte.serverLive] = Live.gone
  },
  'a server that is not there yet': ({ control }) => {
    control[Byte.serverLive] = Live.notYet
  },
  'a live byte without meaning': ({ control }) => {
    control[Byte.serverLive] = 77
  },
}

/** Keys that lead nowhere, and how many warnings they are worth: what is no number counts as not there yet. */
export const keys: readonly (readonly [ringRef: string | undefined, eventChannel: string | undefined, warnings: number])[] = [
  ['0', '0', 0],
  ['', '', 0],
  ['-1', '1', 0],
  ['1e3', '5', 0],
  ['99999999999', '1', 0],
  ['8', 'x'.repeat(2000), 0],
  [' 8', '1', 0],
  ['8', '1\n', 0],
  ['0x8', '1', 0],
  ['8', undefined, 0],
  [undefined, '1', 0],
  ['8', '131072', 0],
  ['777', '1', 1],
  ['8', '4000', 1],
  ['4294967295', '131071', 1],
]
