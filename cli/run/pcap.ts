/** `--pcap`: the packets of the program's network device, as a file for Wireshark. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { type CapturedPacket, captureInterface, type Rig } from '@xen-ts/rig/xen'
import { writeHeader, writePacket } from '@xen-ts/stack/pcap'
import { CliError, trouble } from '../errors.ts'

/** How long (ms) what dom0 has still to tell is waited for. */
const PATIENCE = 5_000

export interface PacketFile {
  readonly packets: number
  add(packet: CapturedPacket): void
  close(): void
}

/**
 * Begins a file. Each packet is written at once and as one, so that the file can be read whenever its writer ends, also by a kill.
 * @param mac of the network device, as text
 * @throws CliError when it cannot be written
 */
export function packetFile(path: string, name: string, mac: string): PacketFile {
  const refuse = (error: unknown) =>
    new CliError(`--pcap: ${path} cannot be written: ${trouble(error)}`, undefined, 'give a file in a folder that exists')
  let file: number
  try {
    file = openSync(path, 'w')
  } catch (error) {
    throw refuse(error)
  }
  const write = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
  }
  try {
    const bytes = Uint8Array.from(mac.split(':'), part => Number.parseInt(part, 16))
    write(writeHeader('xen-ts', { name, mac: bytes, snapLength: 0 }))
  } catch (error) {
    closeSync(file)
    throw refuse(error)
  }
  let packets = 0
  return {
    get packets() {
      return packets
    },
    add({ time, inbound, bytes, length, blankChecksum, lost }) {
      const comments = [
        lost > 0 && `not captured before this one: ${lost} packets`,
        blankChecksum && 'its checksum is left to the device that gets it',
      ]
      const comment = comments.filter(Boolean).join('; ') || undefined
      // Seen from the program: what comes in from its vif at dom0 went out there.
      write(writePacket({ time, outbound: inbound, bytes, length, comment }))
      packets++
    },
    close: () => closeSync(file),
  }
}

/** Captures the first network device of a domain into a file. Gives the function that ends it. */
export async function capturePackets(
  rig: Rig,
  domid: number,
  path: string,
  mac: string,
  onNote: (text: string) => void,
): Promise<() => Promise<void>> {
  const file = packetFile(path, `vif${domid}.0`, mac)
  let failed = false
  const capture = await captureInterface(rig, `vif${domid}.0`, packet => {
    if (failed) return
    try {
      file.add(packet)
    } catch (error) {
      failed = true
      onNote(`--pcap: ${path} ends here: ${trouble(error)}`)
    }
  })
  return async () => {
    capture.end()
    await Promise.race([capture.ended, new Promise(resolve => setTimeout(resolve, PATIENCE).unref())])
    failed = true
    file.close()
    onNote(`${file.packets} packets are in ${path}`)
  }
}
