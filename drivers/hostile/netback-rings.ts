/**
 * What a backend may do to the rings. Every one of these breaks the protocol: the connection closes, but for the packets that are
 * only dropped.
 */
import { FIRST_SLOT, packet, transmit, transmitLarge } from '../netfront/testing.ts'
import type { HostileNetback, Row, Table } from './netback.ts'

const MORE = 4
const EXTRA = 8

/** Responses that say what `statuses` say, in slots that `play` left free: one of the receive ring was used. */
const answerWith = (peer: HostileNetback, statuses: readonly (readonly [status: number, flags: number])[], first = 1): void => {
  statuses.forEach(([status, flags], i) => peer.respond(first + i, first + i, 0, flags, status))
  peer.showReceived(statuses.length)
}

/** A row whose packets are dropped: what they say, and how many buffers they took. */
const dropped = (...statuses: readonly (readonly [status: number, flags: number])[]): Row => ({
  outcome: 'drops',
  act: peer => {
    answerWith(peer, statuses)
    peer.took(statuses.length)
  },
})

/** A row without large packets. */
const small = (act: Row['act']): Row => ({ act, options: { largePackets: false } })

export const receiving: Table = {
  'a receive index that jumps': peer => peer.showReceived(1000),
  'a receive index that passes what was posted by one': peer => peer.showReceived(33),
  'more packets than there were buffers, all well-formed': peer => {
    for (let i = 1; i <= 40; i++) peer.respond(i, i % 32, 0, 0, 60)
    peer.showReceived(40)
  },
  'a receive index that goes back': peer => peer.showReceived(-1),
  'a receive index of all ones': peer => peer.showReceived(0xffffffff - peer.rx[2]),
  'a receive index that is a whole ring further': peer => peer.showReceived(256),
  'a receive index that jumps while a packet is looked at': async peer => {
    const { onReceive } = peer.device
    peer.device.onReceive = () => {
      peer.rx[2] += 500
      peer.set.dom0.abi.fence()
    }
    answerWith(peer, [
      [60, 0],
      [60, 0],
    ])
    await peer.settle()
    peer.device.onReceive = onReceive
  },
  'a receive id that does not exist': peer => {
    peer.respond(1, 4000, 0, 0, 60)
    peer.showReceived(1)
  },
  'a receive id of all ones': peer => {
    peer.respond(1, 0xffff, 0, 0, 60)
    peer.showReceived(1)
  },
  'receive ids in another order': peer => {
    peer.respond(1, 2, 0, 0, 60)
    peer.respond(2, 1, 0, 0, 60)
    peer.showReceived(2)
  },
  'a receive id answered twice': {
    delivers: 1,
    act: peer => {
      peer.respond(1, 1, 0, 0, 60)
      peer.respond(2, 1, 0, 0, 60)
      peer.showReceived(2)
    },
  },
  'a slot shown that was not filled in': peer => {
    peer.rx.fill(0, FIRST_SLOT + 2, FIRST_SLOT + 4)
    peer.showReceived(1)
  },
  'a packet beyond the end of its page': peer => {
    peer.respond(1, 1, 4090, 0, 60)
    peer.showReceived(1)
  },
  'a packet longer than a page': peer => {
    peer.respond(1, 1, 0, 0, 4097)
    peer.showReceived(1)
  },
  'a packet as long as the field can say': peer => {
    peer.respond(1, 1, 0, 0, 32767)
    peer.showReceived(1)
  },
  'an offset out of the page': peer => {
    peer.respond(1, 1, 65535, 0, 60)
    peer.showReceived(1)
  },
  'an offset and a length whose sum is more than 16 bits': peer => {
    peer.respond(1, 1, 65535, 0, 32767)
    peer.showReceived(1)
  },
  'more slots than were agreed on': small(peer => {
    answerWith(peer, [
      [60, MORE],
      [60, 0],
    ])
  }),
  'extra info that was not agreed on': small(peer => {
    peer.respond(1, 1, 0, EXTRA, 60)
    peer.inform(2, 1, 0, 1448, 1)
    peer.showReceived(2)
  }),
  'extra info without end': peer => {
    peer.respond(1, 1, 0, EXTRA, 60)
    for (let i = 2; i < 30; i++) peer.inform(i, 1, 1, 1448, 1)
    peer.showReceived(29)
  },
  'extra info that is announced and not there': peer => {
    peer.respond(1, 1, 0, EXTRA, 60)
    peer.showReceived(1)
  },
  'extra info of type 0': peer => {
    peer.respond(1, 1, 0, EXTRA, 60)
    peer.inform(2, 0, 0, 1448, 1)
    peer.showReceived(2)
  },
  'extra info of an unknown type': peer => {
    peer.respond(1, 1, 0, EXTRA, 60)
    peer.inform(2, 9, 0, 1448, 1)
    peer.showReceived(2)
  },
  'extra info of a type that was not asked for': peer => {
    peer.respond(1, 1, 0, EXTRA, 60)
    peer.inform(2, 5, 0, 256, 0)
    peer.showReceived(2)
  },
  'extra info in the middle of a packet': peer => {
    peer.respond(1, 1, 0, MORE, 60)
    peer.respond(2, 2, 0, EXTRA, 60)
    peer.inform(3, 1, 0, 1448, 1)
    peer.showReceived(3)
  },
  'segments of size 0': peer => {
    peer.respond(1, 1, 0, EXTRA, 60)
    peer.inform(2, 1, 0, 0, 1)
    peer.showReceived(2)
  },
  'segments of type 0': peer => {
    peer.respond(1, 1, 0, EXTRA, 60)
    peer.inform(2, 1, 0, 1448, 0)
    peer.showReceived(2)
  },
  'segments of a type that was not asked for': peer => {
    peer.respond(1, 1, 0, EXTRA, 60)
    peer.inform(2, 1, 0, 1448, 2)
    peer.showReceived(2)
  },
  'segments of an unknown type': peer => {
    peer.respond(1, 1, 0, EXTRA, 60)
    peer.inform(2, 1, 0, 1448, 77)
    peer.showReceived(2)
  },
  'more data promised on the last slot': peer => {
    answerWith(peer, [[4096, MORE]])
  },
  'a packet whose end is there, but not shown': peer => {
    peer.respond(1, 1, 0, MORE, 4096)
    peer.respond(2, 2, 0, 0, 100)
    peer.showReceived(1)
  },
  'extra info that is there, but not shown': peer => {
    peer.respond(1, 1, 0, EXTRA, 60)
    peer.inform(2, 1, 0, 1448, 1)
    peer.showReceived(1)
  },
  'more slots than a packet can have': peer => {
    answerWith(
      peer,
      Array.from({ length: 20 }, (_, i) => [4096, i < 19 ? MORE : 0] as const),
    )
  },
  'a packet without end': peer => {
    answerWith(
      peer,
      Array.from({ length: 31 }, () => [0, MORE] as const),
    )
  },
  'a piece beyond the end of its page': peer => {
    peer.respond(1, 1, 0, MORE, 4096)
    peer.respond(2, 2, 4000, 0, 200)
    peer.showReceived(2)
  },
  'a piece longer than a page': peer => {
    answerWith(peer, [
      [4096, MORE],
      [4097, 0],
    ])
  },
  'a piece in the same page as the one before': peer => {
    peer.respond(1, 1, 0, MORE, 4096)
    peer.respond(2, 1, 0, 0, 200)
    peer.showReceived(2)
  },
  'a piece in a page that does not exist': peer => {
    peer.respond(1, 1, 0, MORE, 4096)
    peer.respond(2, 4000, 0, 0, 200)
    peer.showReceived(2)
  },
  'rubbish all over the receive ring': peer => {
    peer.rx.fill(0xdeadbeef, FIRST_SLOT)
    peer.showReceived(3)
  },

  'a packet that came with an error': dropped([-1, 0]),
  'a packet with the smallest status': dropped([-32768, 0]),
  'an empty packet': dropped([0, 0]),
  'a packet shorter than its header': dropped([13, 0]),
  'a large packet whose first piece failed': dropped([-1, MORE], [4096, 0]),
  'a large packet with a piece that failed': dropped([4096, MORE], [-1, MORE], [100, 0]),
  'a large packet with nothing in it': dropped([0, MORE], [0, MORE], [0, 0]),
  'a large packet shorter than its header': dropped([5, MORE], [5, 0]),
  'a packet of more than 64 KiB': dropped(...Array.from({ length: 17 }, (_, i) => [4096, i < 16 ? MORE : 0] as const)),
  'hundreds of bad packets in one second': {
    outcome: 'drops',
    act: async peer => {
      for (let i = 1; i <= 300; i++) {
        peer.respond(i % 256, i % 32, 0, 0, -1)
        peer.showReceived(1)
        peer.took(1)
        await peer.settle()
      }
    },
  },
  'requests changed after they were posted': {
    outcome: 'bears',
    act: peer =>
      peer.meanwhile(peer.rx, FIRST_SLOT, 1024, () => {
        peer.rx.fill(0xffffffff, FIRST_SLOT)
      }),
  },
  'event indices that mean nothing': {
    outcome: 'bears',
    act: async peer => {
      await peer.meanwhile(peer.rx, 0, 16, () => {
        peer.rx[1] = 0xffffffff
      })
      await peer.meanwhile(peer.tx, 0, 16, () => {
        peer.tx[1] = 0x80000000
      })
    },
  },
  'our own indices overwritten in the page': {
    outcome: 'bears',
    act: async peer => {
      for (const words of [peer.rx, peer.tx])
        await peer.meanwhile(words, 0, 16, () => {
          words[0] = 0xdeadbeef
          words[3] = 0x80000000
        })
    },
  },
}

/** Fills the send ring, then answers as `answers` say: id and status. `play` used slot 0 of the send ring. */
const answered =
  (...answers: readonly (readonly [id: number, status: number])[]): Row['act'] =>
  async peer => {
    await peer.fillSendRing()
    answers.forEach(([id, status], i) => peer.answer(1 + i, id, status))
    peer.showAnswers(answers.length)
  }

export const sending: Table = {
  'a send index that jumps': async peer => {
    await peer.fillSendRing()
    peer.showAnswers(1000)
  },
  'a send index that passes what was sent by one': async peer => {
    await peer.fillSendRing()
    peer.showAnswers(9)
  },
  'a send index that goes back': async peer => {
    await peer.fillSendRing()
    peer.showAnswers(-1)
  },
  'an answer to a packet that was not sent': async peer => {
    peer.showAnswers(1)
    while (transmit(peer.device, packet(60))) {
      /* until it looks */
    }
  },
  'a send id that does not exist': answered([4000, 0]),
  'a send id of all ones': answered([0xffff, 0]),
  'a send id answered twice': answered([0, 0], [0, 0]),
  'a send id of a page that is not under way': answered([10, 0]),
  'an answer to extra info that was not sent': answered([4000, 1]),
  'an error that answers extra info that was not sent': answered([4000, 0xffff]),
  'more answers to extra info than there was': async peer => {
    peer.set.netback.holdResponses = true
    transmitLarge(peer.device, packet(3000), 1448)
    while (transmit(peer.device, packet(60))) {
      /* as long as there are buffers */
    }
    await peer.settle()
    peer.answer(1, 0xdead, 1)
    peer.answer(2, 0xdead, 1)
    peer.showAnswers(2)
  },
  'errors for every packet': {
    outcome: 'bears',
    act: async peer => {
      await peer.fillSendRing()
      peer.set.netback.releaseResponses(true)
    },
  },
  'answers that never come': {
    outcome: 'bears',
    act: async peer => {
      await peer.fillSendRing()
      await peer.set.xen.advance(60_000)
      peer.set.netback.releaseResponses()
    },
  },
}
