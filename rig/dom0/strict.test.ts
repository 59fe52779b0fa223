/** What makes the real daemons exit makes these die, with the reason: slips of an agent, byte by byte. */

import type { ByteChannel } from '@xen-ts/drivers/channel'
import test from 'ava'
import { words } from './gui.ts'
import { Hub } from './hub.ts'
import { MiniQubes } from './index.ts'

const DOMID = 5

function setUp(minor = 7) {
  const hub = new Hub()
  const dom0 = new MiniQubes({ domid: DOMID, channels: hub.channels(0), gui: minor })
  dom0.start()
  dom0.connect()
  return { dom0, qube: hub.channels(DOMID) }
}

async function skip(channel: ByteChannel, length: number): Promise<void> {
  await channel.readExactly(length)
}

const text = (value: string, length: number): Buffer => Buffer.concat([Buffer.from(value), Buffer.alloc(length)], length)

/** A message of QubesDB. */
function db(type: number, path: string, data = '', length = data.length): Buffer {
  return Buffer.concat([Buffer.from([type]), text(path, 64), Buffer.alloc(3), words(length), Buffer.from(data)])
}

const qrexec = (type: number, body: Uint8Array): Buffer => Buffer.concat([words(type, body.length), body])
const gui = (type: number, window: number, body: Uint8Array = Buffer.alloc(0)): Buffer =>
  Buffer.concat([words(type, window, body.length), body])
const create = (id: number, width = 10, height = 10): Buffer => gui(130, id, words(0, 0, width, height, 0, 0))

for (const [what, messages, why] of [
  ['a READ', [db(0, '/name')], /READ is not for a vchan/],
  ['a LIST', [db(3, '/')], /LIST is not for a vchan/],
  ['a WATCH', [db(5, '/')], /WATCH is not for a vchan/],
  ['RESP_ERROR_NOENT', [db(8, '/a')], /RESP_ERROR_NOENT is not for a vchan/],
  ['a type that does not exist', [db(14, '/a')], /14 is not for a vchan/],
  ['a second MULTIREAD', [db(2, ''), db(2, '')], /second MULTIREAD/],
  ['MULTIREAD with a path', [db(2, '/name')], /MULTIREAD with a path/],
  ['data of 3072 bytes', [db(2, ''), db(1, '/a', '', 3072)], /3072 bytes of data/],
  ['forbidden characters', [db(2, ''), db(1, '/a b', 'x')], /forbidden characters/],
  ['a WRITE to a folder', [db(2, ''), db(1, '/a/', 'x')], /cannot be stored/],
  ['a WRITE without a slash', [db(2, ''), db(1, 'a', 'x')], /cannot be stored/],
  ['RM of a key that is not there', [db(2, ''), db(4, '/nothing')], /does not exist/],
  ['RM of an empty folder', [db(2, ''), db(4, '/nothing/')], /does not exist/],
  ['RESP_MULTIREAD', [db(2, ''), db(11, '/a', 'x')], /spurious RESP_MULTIREAD/],
  ['RESP_OK with data', [db(2, ''), db(7, '/a', 'x')], /RESP_OK with data/],
] as const) {
  test(`qubesdb-daemon: ${what}`, async t => {
    const { dom0, qube } = setUp()
    const channel = await qube.connect(0, 111)
    for (const message of messages) await channel.write(message)
    const { message } = await t.throwsAsync(dom0.failed, { name: 'DaemonDied', message: why })
    t.regex(message, /^qubesdb-daemon would exit: /)
    dom0.stop()
  })
}

const trigger3 = (service: string, ident = 'call 1'): Buffer =>
  qrexec(0x212, Buffer.concat([text('@default', 64), text(ident, 32), Buffer.from(service)]))

for (const [what, messages, why] of [
  ['no HELLO', [qrexec(0x211, words(0, 513))], /first message is 0x211, not HELLO/],
  ['HELLO of 8 bytes', [qrexec(0x300, words(3, 0))], /not HELLO/],
  ['version 1', [qrexec(0x300, words(1))], /speaks version 1/],
  ['an unknown message', [qrexec(0x300, words(3)), qrexec(0x299, words(0))], /type 0x299/],
  ['TRIGGER_SERVICE in version 3', [qrexec(0x300, words(3)), qrexec(0x210, Buffer.alloc(128))], /TRIGGER_SERVICE in protocol 3/],
  ['TRIGGER_SERVICE3 in version 2', [qrexec(0x300, words(2)), trigger3('a\0')], /TRIGGER_SERVICE3 in protocol 2/],
  ['TRIGGER_SERVICE of 127 bytes', [qrexec(0x300, words(2)), qrexec(0x210, Buffer.alloc(127))], /TRIGGER_SERVICE of 127/],
  ['TRIGGER_SERVICE3 without a service', [qrexec(0x300, words(3)), trigger3('')], /TRIGGER_SERVICE3 of 96/],
  ['a service without an end', [qrexec(0x300, words(3)), trigger3('my.Echo')], /service that has no end/],
  ['CONNECTION_TERMINATED of 4 bytes', [qrexec(0x300, words(3)), qrexec(0x211, words(0))], /CONNECTION_TERMINATED of 4/],
  ['CONNECTION_TERMINATED for port 512', [qrexec(0x300, words(3)), qrexec(0x211, words(0, 512))], /port 512/],
  ['CONNECTION_TERMINATED for port 769', [qrexec(0x300, words(3)), qrexec(0x211, words(0, 769))], /port 769/],
  ['a port given back that nobody has', [qrexec(0x300, words(3)), qrexec(0x211, words(0, 513))], /which no call has/],
] as const) {
  test(`qrexec-daemon: ${what}`, async t => {
    const { dom0, qube } = setUp()
    const channel = await qube.serve(0, 512, { readSize: 65536, writeSize: 65536 })
    for (const message of messages) await channel.write(message)
    const { message } = await t.throwsAsync(dom0.failed, { name: 'DaemonDied', message: why })
    t.regex(message, /^qrexec-daemon would exit: /)
    dom0.stop()
  })
}

const dump = (width: number, height: number, pages: number, type = 0): Buffer =>
  gui(147, 1, words(type, width, height, 24, ...Array.from({ length: pages }, () => 8)))

for (const [what, messages, why] of [
  ['a window that was not created', [gui(132, 1, words(0, 0))], /window 1, which does not exist/],
  ['a window created twice', [create(1), create(1)], /created twice/],
  ['a message only the daemon sends', [create(1), gui(124, 1, words(2, 0, 0, 0, 38))], /GUI message 124/],
  ['the deprecated MFNDUMP', [create(1), gui(135, 1, Buffer.alloc(32))], /GUI message 135/],
  ['a message of the wrong length', [create(1), gui(132, 1, words(0))], /GUI message 132 of 4 bytes/],
  ['a negative size', [create(1, -1)], /window 1 of -1x10/],
  ['CONFIGURE to nothing', [create(1), gui(134, 1, words(0, 0, 0, 10, 0))], /made 0x10/],
  ['an image without pages', [create(1), dump(1, 1, 0)], /WINDOW_DUMP of 16 bytes/],
  ['an image in too few pages', [create(1), dump(64, 17, 1)], /64x17 in 1 pages/],
  ['an image that is too wide', [create(1), dump(16385, 1, 17)], /16385x1/],
  ['an image of unknown type', [create(1), dump(1, 1, 1, 1)], /type 1/],
  ['a title without an end', [create(1), gui(141, 1, Buffer.alloc(128, 0x61))], /title without a NUL/],
  ['a flag both set and unset', [create(1), gui(145, 1, words(1, 1))], /both set and unset/],
  ['a cursor that does not exist', [create(1), gui(148, 1, words(0x19a))], /cursor/],
  ['a clipboard of 65,001 bytes', [gui(140, 0, Buffer.alloc(65_001))], /clipboard of 65001/],
] as const) {
  test(`qubes-guid: ${what}`, async t => {
    const { dom0, qube } = setUp()
    const channel = await qube.serve(0, 6000, { readSize: 4096, writeSize: 4096 })
    await channel.write(words(0x10007))
    await skip(channel, 20)
    for (const message of messages) void channel.write(message).catch(() => {})
    const { message } = await t.throwsAsync(dom0.failed, { name: 'DaemonDied', message: why })
    t.regex(message, /^qubes-guid would exit: /)
    dom0.stop()
  })
}

test('qubes-guid 1.8 takes a clipboard of 256,001 bytes, and no more', async t => {
  const { dom0, qube } = setUp(8)
  const channel = await qube.serve(0, 6000, { readSize: 4096, writeSize: 4096 })
  await channel.write(words(0x10008))
  const answer = await channel.readExactly(20)
  t.is(Buffer.from(answer!).readUInt32LE(0), 0x10008)
  await channel.write(gui(140, 0, Buffer.alloc(256_001)))
  await dom0.gui!.until(() => dom0.gui!.clipboard.length === 1)
  t.is(dom0.gui!.clipboard[0].length, 256_001)
  void channel.write(gui(140, 0, Buffer.alloc(256_002))).catch(() => {})
  await t.throwsAsync(dom0.failed, { name: 'DaemonDied', message: /clipboard of 256002/ })
  dom0.stop()
})

test('another major version of the GUI protocol ends qubes-guid', async t => {
  const { dom0, qube } = setUp()
  const channel = await qube.serve(0, 6000, { readSize: 4096, writeSize: 4096 })
  await channel.write(words(0x20000))
  await t.throwsAsync(dom0.failed, { name: 'DaemonDied', message: /protocol 2\.x/ })
  dom0.stop()
})

test('a qube that ends before its qrexec agent is there: calls are told', async t => {
  const ended = new Error('no such vchan')
  const { channels } = { channels: { ...new Hub().channels(0), connect: () => Promise.reject(ended) } }
  const dom0 = new MiniQubes({ domid: DOMID, channels, gui: false })
  const call = dom0.call('my.Echo')
  dom0.connect()
  const error = await t.throwsAsync(call, { message: /agent cannot be reached: the qube has ended/ })
  t.is(error.cause, ended)
  dom0.stop()
})
