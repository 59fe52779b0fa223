/**
 * Debian's own tools in dom0, for tests of the network: dnsmasq, curl, wget, tc and what they need. They are put there when a test
 * asks: the initramfs of every machine would be three times as large otherwise, and each start slower.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type Entry, writeCpio } from './cpio.ts'
import { addModules, defaultCache } from './dom0.ts'
import { sharedLibraries } from './libraries.ts'
import { unpackPackages } from './packages.ts'
import type { Release } from './releases.ts'
import type { Rig } from './rig.ts'
import { type Log, timedLog } from './run.ts'
import { fileIn } from './tree.ts'

const words = (...lines: string[]) => lines.flatMap(line => line.split(' '))

/** The programs, and every library that one of them names: those of one name in all releases of Debian, */
const packages = words(
  'dnsmasq-base curl wget iproute2 libc6 libdbus-1-3 libidn2-0 libnetfilter-conntrack3 libgmp10 libnftables1 libsystemd0 libnfnetlink0',
  'libmnl0 libnftnl11 libxtables12 libjansson4 libcap2 libgcrypt20 liblzma5 libzstd1 liblz4-1 libgpg-error0 zlib1g libnghttp2-14 librtmp1',
  'libgssapi-krb5-2 libbrotli1 libkrb5-3 libk5crypto3 libcom-err2 libkrb5support0 libsasl2-2 libp11-kit0 libtasn1-6 libkeyutils1',
  'libpcre2-8-0 libuuid1 libbsd0 libmd0',
)

/** and the others. */
const otherPackages: Record<Release['xen'], string[]> = {
  '4.14': words(
    'libnettle8 libhogweed6 libunistring2 libcurl4 libssh2-1 libpsl5 libssl1.1 libldap-2.4-2 libgnutls30 libffi7 libbpf0 libelf1',
  ),
  '4.17': words(
    'libnettle8 libhogweed6 libunistring2 libcurl4 libssh2-1 libpsl5 libssl3 libldap-2.5-0 libgnutls30 libffi8 libbpf1 libelf1',
  ),
  '4.20': words(
    'libnettle8t64 libhogweed6t64 libunistring5 libcurl4t64 libssh2-1t64 libpsl5t64 libssl3t64 libldap2 libgnutls30t64 libffi8 libbpf1',
    'libelf1t64 libnghttp3-9',
  ),
}

/** Under /opt/bin in dom0: busybox has names of some of them. */
const programs = ['usr/sbin/dnsmasq', 'usr/bin/curl', 'usr/bin/wget', 'sbin/tc']

/**
 * Puts the tools into a rig's dom0, as /opt/bin/NAME, and loads what `tc` makes a link bad with, in both directions. Once for a rig.
 * @param cache as of Rig.start
 */
export async function installNetworkTools(
  rig: Rig,
  { cache = defaultCache, log = timedLog() }: { cache?: string; log?: Log } = {},
): Promise<void> {
  const { release, tree } = rig.files
  const { root } = await unpackPackages([...packages, ...otherPackages[release.xen]], cache, log, release)
  const files = new Map<string, Entry>()
  const executables = await Promise.all(programs.map(async path => (await fileIn(root, path)) ?? join(root, path)))
  for (const file of executables) files.set(`opt/bin/${basename(file)}`, { content: await readFile(file), mode: 0o755 })
  // dom0's own libraries are in use, and the same.
  const present = new Set((await rig.must('ls /usr/lib/x86_64-linux-gnu /lib64')).split('\n'))
  for (const [path, file] of await sharedLibraries(root, executables)) {
    if (!present.has(basename(path))) files.set(path, { content: await readFile(file), mode: 0o755 })
  }
  files.set('etc/group', { content: 'root:x:0:\n' })
  const modules = new Map<string, Entry>()
  await addModules(modules, tree, ['sch-netem', 'sch-ingress', 'act-mirred', 'cls-matchall', 'ifb'])
  for (const [path, entry] of modules) files.set(`opt/${path}`, entry)
  const folder = await mkdtemp(join(tmpdir(), 'xen-ts-tools-'))
  try {
    await writeFile(join(folder, 'tools.cpio'), writeCpio(files))
    await rig.put(join(folder, 'tools.cpio'), '/tmp/tools.cpio')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  await rig.must(`cd / && cpio -id </tmp/tools.cpio && rm /tmp/tools.cpio
    for module in /opt/modules/*.ko; do insmod "$module"; done`)
}
