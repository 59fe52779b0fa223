/**
 * Answers Ethernet frames of an experimental type with source and destination swapped: the network device without an IP stack. To see it
 * answer one frame of each length there is (the tool prints how many came back unchanged):
 *
 *     npx xen-ts build examples/frame-echo
 *     npx xen-ts run frame-echo.xen --exit --dom0 'frames vif$DOMID.0 00:16:3e:5e:6c:00 check 60 1514'
 *
 * TCP packets that a sender on the same host left uncut go back the same way, for the backend to cut.
 */
import { ethernet } from '@xen-ts/drivers'
import { once, unikernel } from 'xen-ts'

/** 88-b5, IEEE 802 local experimental, as the 16-bit word that a little-endian machine reads. */
const EXPERIMENTAL = 0xb588
/** Where fields of the header are, in 16-bit words. */
const DESTINATION = 0,
  SOURCE = 3,
  TYPE = 6

export default unikernel({
  name: 'frame-echo',
  devices: { ethernet: ethernet({ blankChecksums: true, largePackets: true, ipv6: true }) },
  async start({ ethernet, log, signal }) {
    let answered = 0,
      dropped = 0
    ethernet.onReceive = (frame, length) => {
      const { segment = 0 } = frame
      if (segment === 0 && frame.u16[TYPE] !== EXPERIMENTAL) return
      const answer = ethernet.reserve(segment === 0 ? 0 : length)
      if (answer === undefined) {
        // The peer is slower than we are. A network may lose frames.
        dropped++
        return
      }
      answer.u8.set(frame.u8.subarray(0, length))
      for (let i = 0; i < 3; i++) {
        answer.u16[DESTINATION + i] = frame.u16[SOURCE + i]
        answer.u16[SOURCE + i] = frame.u16[DESTINATION + i]
      }
      ethernet.send(answer, length, segment)
      answered++
    }
    log.info('answering frames of type 88b5')
    await once(signal)
    log.info(`${answered} frames answered, ${dropped} dropped`)
  },
})
