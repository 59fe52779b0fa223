/** The works on bench/programs/native-qubes.ts: dom0's daemons, as far as these need them. */
import type { ByteChannel } from '@xen-ts/drivers/channel'
import { vchanChannels } from '@xen-ts/vchan'
import { begin, dom0Drivers, guest, logged, Signal } from './world.ts'

const { WORK } = globalThis as unknown as { WORK: string }
const channels = vchanChannels(dom0Drivers)
const RINGS = { readSize: 65_536, writeSize: 65_536 }

/** Of qubesdb.h, qrexec.h and qubes-gui-protocol.h. */
const [QDB_WRITE, QDB_MULTIREAD, QDB_OK, QDB_MULTIREAD_ANSWER] = [1, 2, 7, 11]
const [EXEC_CMDLINE, CONNECTION_TERMINATED, HELLO] = [0x200, 0x211, 0x300]
const [STDIN, EXIT_CODE] = [0x190, 0x193]
const [KEYPRESS, CREATE, SHMIMAGE, WINDOW_DUMP_ACK] = [124, 130, 136, 149]

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, character => character.charCodeAt(0))
const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)
const wordsOf = (bytes: Uint8Array): Uint32Array => new Uint32Array(bytes.slice().buffer)
const joined = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap(part => [...part]))

async function read(channel: ByteChannel, length: number): Promise<Uint8Array> {
  const bytes = length === 0 ? new Uint8Array(0) : await channel.readExactly(length)
  if (bytes === undefined) throw new Error('the guest has closed a channel')
  return bytes
}

/** QubesDB's daemon: a few keys, and what the guest writes. */
class Database extends Signal {
  written = 0
  #channel!: ByteChannel

  async run(): Promise<void> {
    this.#channel = await channels.serve(guest.domid, 111, { readSize: 4096, writeSize: 4096 })
    for (;;) {
      const header = await read(this.#channel, 72)
      await read(this.#channel, wordsOf(header)[17]!)
      if (header[0] === QDB_MULTIREAD) {
        for (const [key, value] of [
          ['/name', 'native'],
          ['/qubes-gui-domain-xid', '0'],
          ['', ''],
        ] as const)
          await this.#send(QDB_MULTIREAD_ANSWER, key, value)
      } else if (header[0] === QDB_WRITE) {
        header[0] = QDB_OK
        header.fill(0, 68)
        await this.#channel.write(header)
        this.written++
        this.notify()
      }
    }
  }

  write(key: string, value: string): Promise<void> {
    return this.#send(QDB_WRITE, key, value)
  }

  async #send(type: number, key: string, value: string): Promise<void> {
    const message = new Uint8Array(72 + value.length)
    message[0] = type
    message.set(bytesOf(key), 1)
    message.set(words(value.length), 68)
    message.set(bytesOf(value), 72)
    await this.#channel.write(message)
  }
}

async function qdb(): Promise<(i: number) => Promise<void>> {
  return async i => {
    const before = database.written
    await database.write('/bench', `value ${i}`)
    await database.until(() => database.written > before)
  }
}

/** Both ends say which version they speak. */
async function greet(channel: ByteChannel): Promise<void> {
  await channel.write(words(HELLO, 4, 3))
  await read(channel, 12)
}

/** A call with some bytes of input: until the guest has given the port back. */
async function call(): Promise<() => Promise<void>> {
  const control = await channels.connect(guest.domid, 512)
  await greet(control)
  const command = bytesOf('user:QUBESRPC bench.Length dom0\0')
  const input = bytesOf('how long is this?')
  let port = 513
  return async () => {
    const served = channels.serve(guest.domid, port, RINGS)
    await control.write(joined(words(EXEC_CMDLINE, 8 + command.length, 0, port), command))
    const channel = await served
    await greet(channel)
    await channel.write(joined(words(STDIN, input.length), input, words(STDIN, 0)))
    for (let type = 0; type !== EXIT_CODE; ) {
      const header = wordsOf(await read(channel, 8))
      type = header[0]!
      await read(channel, header[1]!)
    }
    channel.close()
    const [type] = wordsOf(await read(control, 16))
    if (type !== CONNECTION_TERMINATED) throw new Error(`the agent has sent ${type}`)
    port = port === 768 ? 513 : port + 1
  }
}

async function trip(): Promise<() => Promise<void>> {
  const channel = await channels.connect(guest.domid, 5010)
  const byte = Uint8Array.of(1)
  return async () => {
    await channel.write(byte)
    await read(channel, 1)
  }
}

/** A key is pressed, the program draws, and tells it. @param frames how many pictures the key brings */
async function frame(keycode = 38, frames = 1): Promise<() => Promise<void>> {
  const channel = await channels.connect(guest.domid, 6000)
  await read(channel, 4)
  await channel.write(words(0x10007))
  await channel.write(words(1920, 1080, 24, 8192))
  let window = 0
  const next = async (): Promise<number> => {
    const [type, id, length] = wordsOf(await read(channel, 12))
    await read(channel, length!)
    if (type === CREATE) window = id!
    return type!
  }
  while ((await next()) !== SHMIMAGE);
  await channel.write(words(WINDOW_DUMP_ACK, window, 0))
  return async () => {
    await channel.write(words(KEYPRESS, window, 20, 2, 10, 10, 0, keycode))
    for (let left = frames; left > 0; ) if ((await next()) === SHMIMAGE) left--
  }
}

const database = new Database()

begin('', async () => {
  database.run().catch(error => {
    throw error
  })
  await logged('ready')
  return { qdb, call, trip, frame, told: () => frame(39, 50) }[WORK as 'call']()
})
