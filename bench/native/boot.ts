/** A boot, to the line that says where the server listens (`boot`), or to the first answer (`answer`): from the program's first instruction on. */
import { ACK, commandLine, PSH, Wire } from './wire.ts'
import { beginCounted, logged } from './world.ts'

const { WORK } = globalThis as unknown as { WORK: string }
const REQUEST = 'GET / HTTP/1.1\r\nHost: 10.0.0.2\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\nConnection: close\r\n\r\n'

// Nobody asks for a file.
Object.assign(globalThis, { __bytes: () => new ArrayBuffer(0) })

const wire = new Wire(4)
beginCounted(commandLine(4), async () => {
  await logged('listening on')
  if (WORK === 'boot') return
  const connection = await wire.connect(5000, 80)
  const payload = Uint8Array.from(REQUEST, character => character.charCodeAt(0))
  connection.send(connection.segment(payload, PSH | ACK), payload.length)
  await wire.until(() => connection.isEnded)
})
