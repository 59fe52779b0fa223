import { createHash } from 'node:crypto'
import { access, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Entry, writeCpio } from './cpio.ts'
import { addModules, busyboxFiles, defaultCache, ensureRig, xenProgram } from './dom0.ts'
import { sharedLibraries } from './libraries.ts'
import { unpackPackages } from './packages.ts'
import type { Release } from './releases.ts'
import type { Log } from './run.ts'

/** What createDomain needs to know of a Linux guest. */
export interface LinuxGuest {
  /** Debian's kernel, an ELF file with a PVH entry. */
  kernel: string
  ramdisk: string
  cmdline: string
  /** MiB that suffice. */
  memory: number
  /** Further lines for xl's configuration. */
  config?: string
}

/** What nginx needs. */
export const nginxPackages: Record<Release['xen'], string[]> = {
  '4.14': ['nginx-light', 'libpcre3', 'libssl1.1', 'libcrypt1', 'zlib1g', 'libc6'],
  '4.17': ['nginx', 'libpcre2-8-0', 'libssl3', 'libcrypt1', 'zlib1g', 'libc6'],
  '4.20': ['nginx', 'libpcre2-8-0', 'libssl3t64', 'libzstd1', 'libcrypt1', 'zlib1g', 'libc6'],
}

/** For each role: the kernel modules, the tools of dom0 that it has too, and programs of Xen's packages. */
const roles: Record<LinuxRole, { modules: string[]; tools: string[]; programs?: (xen: Release['xen']) => string[] }> = {
  init: { modules: [], tools: [] },
  nginx: { modules: ['xen-netfront'], tools: ['datagrams'] },
  // What libxenvchan opens.
  vchan: { modules: ['xen-privcmd', 'xen-evtchn', 'xen-gntdev', 'xen-gntalloc'], tools: ['vchan-bridge', 'vchan-load'] },
  frames: { modules: ['xen-netfront'], tools: ['frames'] },
  // What `xl devd` opens, and the backend.
  netvm: {
    modules: ['xen-privcmd', 'xenfs', 'xen-evtchn', 'xen-gntdev', 'xen-netback'],
    tools: ['frames'],
    programs: xen => [xenProgram(xen, 'xl'), 'usr/bin/xenstore-read', 'usr/bin/xenstore-write'],
  },
}

export type LinuxRole = 'init' | 'nginx' | 'vchan' | 'frames' | 'netvm'

/** As many bytes as nginx' own front page used to have; the benchmarks speak of this page. */
export const page =
  `<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>\n<h1>Welcome</h1>\n${'<p>Nothing to see.</p>\n'.repeat(40)}`
    .slice(0, 594)
    .padEnd(596, '.') + '\n</body></html>\n'

/**
 * A small Linux as a peer for tests and measurements: Debian's kernel, busybox, and no distribution.
 * @param role `init` says "init reached" on the console and obeys a shutdown; `nginx` also serves a page of 612 bytes on port 80, and sends back the datagrams that come
 *   to port 7;
 *   `vchan` also sends back what dom0 sends on two vchans: it is the server of port 5000 and the client of port 5001; and it is
 *   there to be measured by dom0's vchan-load: as echo, sink and source on ports 5010 to 5012; `frames` answers the tool of that name;
 *   `netvm` is a driver domain: it has the backends of vifs and routes as dom0 does; it obeys the lines that `Domain.type` gives it
 * @param ip of the guest, for role nginx
 * @param xen which Xen's Linux: as of Rig.start
 */
export async function linuxGuest({
  role,
  ip = '10.137.0.20',
  gateway = '10.137.0.1',
  xen,
  cache = defaultCache,
  log = () => {},
}: {
  role: LinuxRole
  ip?: string
  gateway?: string
  xen?: string
  cache?: string
  log?: Log
}): Promise<LinuxGuest> {
  const { vmlinux, tree, folder, release } = await ensureRig({ xen, cache, log })
  const nginx = role === 'nginx' ? await unpackPackages(nginxPackages[release.xen], cache, log, release) : undefined
  const script = await readFile(join(import.meta.dirname, 'guest/init'))
  const id = createHash('sha256')
    .update(script)
    .update(await readFile(import.meta.filename))
    .update(nginx?.id ?? '')
    .digest('hex')
    .slice(0, 12)
  const ramdisk = join(folder, `linux-${role}-${id}.img`)
  if (
    !(await access(ramdisk).then(
      () => true,
      () => false,
    ))
  ) {
    log(`making the initramfs of the Linux guest (${role})`)
    const files = await busyboxFiles(tree)
    files.set('init', { content: script, mode: 0o755 })
    if (nginx) await addNginx(files, nginx.root)
    if (role === 'netvm') await addHotplug(files)
    const { modules, tools, programs = () => [] } = roles[role]
    const executables = [...tools.map(tool => join(folder, tool)), ...programs(release.xen).map(path => join(tree, path))]
    for (const file of executables) files.set(`usr/bin/${basename(file)}`, { content: await readFile(file), mode: 0o755 })
    for (const [path, file] of await sharedLibraries(tree, executables)) {
      // nginx came with a C library and its loader, which need not be of the same day as dom0's: one pair for all.
      if (!files.has(path)) files.set(path, { content: await readFile(file), mode: 0o755 })
    }
    await addModules(files, tree, modules)
    const part = `${ramdisk}.${process.pid}`
    await writeFile(part, writeCpio(files))
    await rename(part, ramdisk).finally(() => rm(part, { force: true }))
  }
  const network = nginx ? ` guest.ip=${ip} guest.gateway=${gateway}` : ''
  return {
    kernel: vmlinux,
    ramdisk,
    cmdline: `console=hvc0 quiet panic=-1 mitigations=off random.trust_cpu=on sysctl.net.ipv4.tcp_no_metrics_save=1${network}`,
    memory: nginx ? 256 : 192,
    config: role === 'netvm' ? 'driver_domain=1' : undefined,
  }
}

/** What xl wants to find, and the script that makes a vif work: dom0's. */
async function addHotplug(files: Map<string, Entry>): Promise<void> {
  files.set('etc/xen/scripts/vif', { content: await readFile(join(import.meta.dirname, 'dom0/vif')), mode: 0o755 })
  files.set('etc/xen/xl.conf', { content: '' })
  for (const folder of ['var/log/xen', 'var/lib/xen']) files.set(`${folder}/.keep`, { content: '' })
  files.set('var/run', { link: '/run' })
}

async function addNginx(files: Map<string, Entry>, root: string): Promise<void> {
  const program = join(root, 'usr/sbin/nginx')
  files.set('usr/sbin/nginx', { content: await readFile(program), mode: 0o755 })
  for (const [path, file] of await sharedLibraries(root, [program])) files.set(path, { content: await readFile(file), mode: 0o755 })
  files.set('etc/passwd', { content: 'root:x:0:0:root:/:/bin/sh\n' })
  files.set('etc/group', { content: 'root:x:0:\n' })
  files.set('var/www/index.html', { content: page })
  files.set('var/log/nginx/.keep', { content: '' })
  files.set('var/lib/nginx/.keep', { content: '' })
  files.set('etc/nginx.conf', {
    content: `user root; worker_processes 1; pid /run/nginx.pid; error_log stderr;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; default_type text/html; server { listen 80 backlog=1024; root /var/www; } }
`,
  })
}
