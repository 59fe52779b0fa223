/** The formats of QubesDB, qrexec and the GUI: what was written is read; what cannot be meant is a ProtocolError, and nothing else happens. */
import { runs } from '@xen-ts/boot/fuzz'
import { memoryAbi } from '@xen-ts/boot/memory'
import test from 'ava'
import fc from 'fast-check'
import * as events from './gui/events.ts'
import * as gui from './gui/messages.ts'
import { decodeHeader as decodeGuiHeader, decodeVersion, decodeXconf } from './gui/wire.ts'
import { parseCommand } from './qrexec/command.ts'
import * as qrexec from './qrexec/wire.ts'
import * as qubesdb from './qubesdb/wire.ts'
import { ProtocolError } from './supervise.ts'
import { readU32, Text } from './text.ts'

const text = new Text(memoryAbi)
const u32 = fc.nat(0xffffffff)
/** Texts whose lengths are just below, at and above what fits. */
const long = (...edges: number[]): fc.Arbitrary<string> =>
  fc.tuple(fc.constantFrom(...edges), fc.integer({ min: -1, max: 2 })).map(([edge, more]) => 'a'.repeat(edge + more))

/** What `read` gives, or undefined when it refuses. */
function tolerated<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

test('QubesDB: a message that was written is read, and the daemon would take it', t => {
  const characters = fc.string({ unit: fc.constantFrom(...'/aZ09_.:@-%\0 é'), maxLength: 66 })
  const path = fc.oneof({ weight: 3, arbitrary: characters }, { weight: 1, arbitrary: long(62) }).map(rest => `/${rest}`)
  const value = fc.uint8Array({ maxLength: 40 })
  fc.assert(
    fc.property(path, value, (path, value) => {
      const wrong = qubesdb.complaint(path, value)
      t.is(wrong === undefined, /^\/[a-zA-Z0-9_/.:@-]{0,62}$/.test(path) && !value.includes(0))
      if (wrong !== undefined) return
      const bytes = qubesdb.encode(text, qubesdb.WRITE, path, value)
      const header = tolerated(() => qubesdb.decodeHeader(text, bytes))
      // What names a directory can be asked for by this qube, and is told of by no daemon.
      t.deepEqual(header, path.endsWith('/') ? undefined : { type: qubesdb.WRITE, path, length: value.length })
      t.deepEqual(bytes.subarray(qubesdb.HEADER_BYTES), value)
      t.is(bytes.length, qubesdb.HEADER_BYTES + value.length)
    }),
    runs(),
  )
})

test('qrexec: control messages that were written are read', t => {
  const name = fc.string({ unit: fc.constantFrom(...'aZ09-_.é€'), maxLength: 10 })
  fc.assert(
    fc.property(u32, u32, name, fc.boolean(), (domain, port, name, detached) => {
      const numbers = qrexec.encodeNumbers(0, domain, port).subarray(qrexec.HEADER_BYTES)
      const type = detached ? qrexec.JUST_EXEC : qrexec.EXEC_CMDLINE
      const exec = qrexec.decodeControl(text, type, Uint8Array.of(...numbers, ...text.encode(name), 0))
      t.deepEqual(exec, { kind: 'exec', detached, domain, port, command: name })
      const ident = new Uint8Array(32)
      ident.set(text.encode(name).subarray(0, 31))
      const whole = text.encode(name).length < 32
      const connect = qrexec.decodeControl(text, qrexec.SERVICE_CONNECT, Uint8Array.of(...numbers, ...ident))
      if (whole) t.deepEqual(connect, { kind: 'connect', domain, port, ident: name })
      if (whole) t.deepEqual(qrexec.decodeControl(text, qrexec.SERVICE_REFUSED, ident), { kind: 'refused', ident: name })
    }),
    runs(),
  )
})

test('qrexec: whatever header and body come, lengths are bounded and names have an end', t => {
  const types = fc.oneof(u32, fc.constantFrom(qrexec.EXEC_CMDLINE, qrexec.JUST_EXEC, qrexec.SERVICE_CONNECT, qrexec.SERVICE_REFUSED))
  const body = fc.uint8Array({ maxLength: 60 })
  fc.assert(
    fc.property(types, fc.oneof(fc.nat(70), u32), body, (type, announced, body) => {
      tolerated(() => {
        qrexec.checkControlLength({ type, length: announced })
        t.true(announced <= 65543)
        if (announced > body.length) return
        const message = qrexec.decodeControl(text, type, body.subarray(0, announced))
        const name = message.kind === 'exec' ? message.command : message.kind === 'unknown' ? undefined : message.ident
        t.false(name?.includes('\0') === true)
        if (message.kind === 'exec' && message.command !== undefined) parseCommand(message.command)
      })
    }),
    runs(),
  )
})

test('qrexec: a call that passes has a place for each of its names, with the NUL that ends it', t => {
  const target = fc.oneof(fc.string({ unit: fc.constantFrom(...'aZ09-_.@: é\0'), minLength: 1, maxLength: 70 }), long(31, 63))
  const service = fc.oneof(fc.string({ unit: fc.constantFrom(...'aZ09-_.+ é\0'), minLength: 1, maxLength: 70 }), long(63))
  fc.assert(
    fc.property(fc.constantFrom(2, 3), target, service, (version, target, service) => {
      if (qrexec.complaint(version, target, service) !== undefined) return
      const bytes = qrexec.encodeTrigger(text, version, target, service, 'ident')
      const field = (at: number, length: number): string | undefined => text.decodeField(bytes, qrexec.HEADER_BYTES + at, length)
      const fields = version === 3 ? [field(0, 64), field(64, 32), field(96, bytes.length)] : [field(64, 32), field(96, 32), field(0, 64)]
      t.deepEqual(fields, [target, 'ident', service])
      t.is(readU32(bytes, 4), bytes.length - qrexec.HEADER_BYTES)
    }),
    runs({ few: 300 }),
  )
})

test('qrexec: command lines are taken apart in one way', t => {
  const word = fc.string({ unit: fc.constantFrom(...'aZ0.-@'), minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(
      word,
      word,
      fc.option(
        word.map(text => `${text}+x`),
        { nil: undefined },
      ),
      word,
      (user, service, argument, source) => {
        const name = argument === undefined ? service : `${service}+${argument}`
        const expected = { user, service, argument: argument ?? '', source }
        for (const more of ['', 'nogui:']) t.deepEqual(parseCommand(`${user}:${more}QUBESRPC ${name} ${source}`), expected)
      },
    ),
    runs(),
  )
})

test('GUI: each message says its type, its window and its length', t => {
  const rectangle = fc.record({
    x: fc.integer(),
    y: fc.integer(),
    width: fc.integer({ min: 1, max: gui.MAX_WIDTH }),
    height: fc.integer({ min: 1, max: gui.MAX_HEIGHT }),
  })
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    long(63, 127).map(title => text.encode(title)),
  )
  fc.assert(
    fc.property(
      u32,
      rectangle,
      bytes,
      fc.constantFrom(...(Object.keys(gui.CURSORS) as gui.CursorName[])),
      (window, area, bytes, cursor) => {
        const all = [
          gui.create(window, area),
          gui.configure(window, area),
          new gui.ShmImage(window).of(area),
          gui.wmName(window, bytes),
          gui.wmClass(window, bytes.subarray(0, 63)),
          gui.cursor(window, cursor),
          gui.clipboardData(window, bytes),
          gui.destroy(window),
        ]
        const numbers = [gui.CREATE, gui.CONFIGURE, gui.SHMIMAGE, gui.WMNAME, gui.WMCLASS, gui.CURSOR, gui.CLIPBOARD, gui.DESTROY]
        for (const [i, message] of all.entries())
          t.deepEqual(decodeGuiHeader(message), { type: numbers[i], window, length: message.length - 12 })
        // The daemon sends CONFIGURE back with the same fields.
        t.deepEqual(
          tolerated(() => events.decodeConfigure(all[1].subarray(12))),
          area,
        )
        t.is(all[3][12 + 127], 0, 'a title ends with a NUL')
      },
    ),
    runs(),
  )
})

test('GUI: a title is cut between characters', t => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'é', '€', '𝄞'), minLength: 20, maxLength: 150 }), title => {
      const bytes = gui.wmName(1, text.encode(title))
      const kept = text.decodeField(bytes, 12, 128)!
      t.true(title.startsWith(kept))
      t.true(kept === title || Buffer.byteLength(kept) > 123)
    }),
    runs(),
  )
})

test('GUI: whatever the daemon says, what is believed can be', t => {
  const word = fc.oneof(fc.nat(12), fc.nat(300), u32, fc.constantFrom(32767, 32768, 16384, 16385, 0x10008, 0x10004))
  const body = fc.array(word, { minLength: 8, maxLength: 8 }).map(words => new Uint8Array(Uint32Array.from(words).buffer))
  const known = fc.constantFrom(
    events.KEYPRESS,
    events.BUTTON,
    events.MOTION,
    events.CROSSING,
    events.FOCUS,
    gui.CONFIGURE,
    gui.WINDOW_FLAGS,
    gui.CLIPBOARD,
  )
  fc.assert(
    fc.property(body, fc.oneof(known, fc.nat(200)), u32, fc.oneof(fc.nat(40), u32), (body, type, window, length) => {
      const key = tolerated(() => events.decodeKey(body))
      t.true(key === undefined || (key.keycode <= 255 && Number.isInteger(key.x) && Math.abs(key.x) <= 2 ** 31))
      t.true((tolerated(() => events.decodeButton(body))?.button ?? 0) <= 255)
      tolerated(() => events.decodeCrossing(body))
      tolerated(() => events.decodeFocus(body))
      events.decodeMotion(body)
      const area = tolerated(() => events.decodeConfigure(body))
      t.true(area === undefined || (area.width >= 1 && area.width < 32768 && area.height >= 1 && area.height < 32768))
      const flags = tolerated(() => events.decodeFlags(body))
      t.true(flags === undefined || (flags[0] & flags[1]) === 0)
      const screen = tolerated(() => decodeXconf(body))
      t.true(screen === undefined || (screen.width <= 16384 && screen.height <= 16384 && screen.depth <= 32))
      const version = tolerated(() => decodeVersion(body))
      t.true(version === undefined || (version.major === 1 && version.minor >= 4 && version.minor <= 8))
      tolerated(() => t.true(events.isKnown({ type, window, length }) !== undefined))
      t.is(events.isDown(body, window & 255), ((body[(window & 255) >> 3] >> (window & 7)) & 1) === 1)
    }),
    runs(),
  )
})

test('a name in a fixed field is what comes before its NUL, which is in the field', t => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 97, 98, 99), { maxLength: 12 }), fc.nat(6), fc.nat(6), (list, offset, length) => {
      const bytes = Uint8Array.from(list)
      const field = list.slice(offset, offset + length)
      const end = field.indexOf(0)
      const expected = end < 0 ? undefined : String.fromCharCode(...field.slice(0, end))
      t.is(text.decodeField(bytes, offset, length), expected)
    }),
    runs(),
  )
})
