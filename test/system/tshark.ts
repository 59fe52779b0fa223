/** Debian's tshark as a reader of captures that is not ours, from unpacked packages: nothing is installed on the host. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { defaultCache, unpackPackages } from '@xen-ts/rig/xen'

/** In the versions of Debian 12: 40 MB, once. The C library and what it brings are the host's. */
const packages = [
  'tshark libwireshark16 libwireshark-data libwiretap13 libwsutil14 libbrotli1 libc-ares2 libcap2 libcom-err2 libdbus-1-3 libffi8 libgcrypt20',
  'libglib2.0-0 libgmp10 libgnutls30 libgpg-error0 libhogweed6 libicu72 libidn2-0 libk5crypto3 libkeyutils1 libkrb5-3',
  'libkrb5support0 liblua5.2-0 liblz4-1 liblzma5 libmaxminddb0 libnettle8 libnghttp2-14 libp11-kit0 libpcap0.8 libpcre2-8-0 libsmi2ldbl',
  'libsnappy1v5 libstdc++6 libsystemd0 libtasn1-6 libunistring2 libxml2 libzstd1 zlib1g',
  'libbcg729-0 libspandsp2 libsbc1 libtiff6 libjpeg62-turbo libwebp7 libdeflate0 libjbig0 liblerc4',
].flatMap(line => line.split(' '))

/** What it prints to both outputs, and its exit code. All sums are checked. */
export async function tshark(file: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { root } = await unpackPackages(packages, defaultCache, () => {})
  const sums = ['ip', 'tcp', 'udp'].flatMap(protocol => ['-o', `${protocol}.check_checksum:TRUE`])
  const libraries = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'].map(folder => join(root, folder))
  const env = { ...process.env, LC_ALL: 'C', LD_LIBRARY_PATH: libraries.join(':'), WIRESHARK_DATA_DIR: join(root, 'usr/share/wireshark') }
  return new Promise(resolve =>
    execFile(
      join(root, 'usr/bin/tshark'),
      ['-r', file, ...sums, ...args],
      { env, maxBuffer: 1 << 26, timeout: 60_000 },
      (error, stdout, stderr) => {
        // Of its user it always complains.
        const complaints = stderr.replace(/^Running as user .*\n/gm, '')
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr: complaints })
      },
    ),
  )
}

/** Packets that are malformed, or whose sums are wrong although no device was to complete them. @returns what tshark says of each */
export async function complaints(file: string): Promise<string> {
  const bad = (...protocols: string[]) => protocols.map(protocol => `${protocol}.checksum.status == "Bad"`).join(' || ')
  const filter = `_ws.malformed || ${bad('ip', 'icmp')} || ((${bad('tcp', 'udp')}) && !(frame.comment contains "checksum"))`
  const { code, stdout, stderr } = await tshark(file, '-Y', filter)
  return `${stdout}${stderr}${code === 0 ? '' : `exit code ${code}`}`
}
