/** A qube with a window where something runs out half way, for every place where it can: in the end the window is shown as it should be. */
import { leaveGrants, type Resource, refuseEach } from '@xen-ts/drivers/sim'
import test, { type ExecutionContext } from 'ava'
import { setUp } from './testing.ts'
import '@xen-ts/drivers/sim/leak-check'

type Set = ReturnType<typeof setUp>

/** A window from open to close, whatever is refused meanwhile; `relieve` ends that. */
async function play(t: ExecutionContext, { xen, gui, daemon, finish, guest }: Set, refused: string, relieve: () => void): Promise<void> {
  const open = () => {
    try {
      return gui.window({ title: 'x', width: 64, height: 64 })
    } catch (error) {
      t.is((error as Error).name, 'XenError', refused)
      return undefined
    }
  }
  const one = open()
  await xen.advance(2000)
  if (daemon.windows.has(1)) await xen.run(daemon.resize(1, 96, 64))
  try {
    one?.resize(128, 96)
  } catch (error) {
    t.is((error as Error).name, 'XenError', refused)
  }
  const two = open()
  await xen.advance(2000)
  relieve()
  await xen.advance(20_000)
  const [first, second] = [one ?? open()!, two ?? open()!]
  first.resize(130, 96)
  first.fill(0x123456)
  second.fill(0x654321)
  await xen.advance(3000)
  const pictures = [...daemon.windows.values()]
    .sort((a, b) => b.width - a.width)
    .map(({ image, picture }) => [image?.width, picture.readUInt32LE(0)])
  t.deepEqual(
    pictures,
    [
      [130, 0x123456],
      [64, 0x654321],
    ],
    refused,
  )
  t.deepEqual(
    guest.log.filter(({ level }) => level === 'error'),
    [],
    refused,
  )
  await finish()
}

for (const [what, least] of [
  ['pages', 6],
  ['ports', 1],
  ['store', 7],
] satisfies [Resource, number][]) {
  test(`the n-th of ${what} is refused, for every n`, async t => {
    const count = await refuseEach(what, ({ arm, relieve, name }) => play(t, setUp({ prepare: arm }), name, relieve))
    t.true(count >= least, `${count}`)
  })
}

test('with n grants left, for every n', async t => {
  for (let left = 0; left <= 30; left++) {
    const set = setUp()
    await play(t, set, `${left} grants left`, leaveGrants(set.guest, set.grants, left))
  }
})
