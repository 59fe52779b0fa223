/** What a boot waits for: the store, and the backend. */
import test from 'ava'
import { connectNetfront } from '../index.ts'
import { collect, end, setUp } from './testing.ts'
import '../sim/leak-check.ts'

test('a connection takes few round trips to the store, and one hypercall for all that is asked for at a time', async t => {
  const set = setUp()
  await set.xen.settle()
  const { guest } = set
  let kicks = 0
  let answers = 0
  const { evtchnSend } = guest.abi
  guest.abi.evtchnSend = port => {
    if (port === guest.abi.xenstorePort()) kicks++
    return evtchnSend(port)
  }
  const dispatch = guest.dispatch.bind(guest)
  guest.dispatch = port => {
    if (port === guest.abi.xenstorePort()) answers++
    dispatch(port)
  }
  const device = await set.xen.run(connectNetfront(set.drivers))
  t.true(device.isUp)
  t.log(`${answers} events of the store, ${kicks} of ours`)
  t.true(answers <= 9 && kicks <= 18, `${answers} events of the store, ${kicks} of ours`)
  collect(device)
  await end(set, device)
})
