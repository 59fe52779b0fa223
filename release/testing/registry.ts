/** As much of a registry as `npm install` speaks with: ours are served from tarballs, for all others it sends to the one that npm knows. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Registry {
  readonly url: string
  close(): Promise<void>
}

/** @param tarballs paths by the names of packages */
export async function startRegistry(tarballs: ReadonlyMap<string, string>): Promise<Registry> {
  const upstream = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim().replace(/\/$/, '')
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url!.split('?')[0].slice(1))
    const tarball = [...tarballs.values()].find(each => path === `-/${basename(each)}`)
    if (tarball !== undefined) response.end(readFileSync(tarball))
    else if (tarballs.has(path)) response.setHeader('content-type', 'application/json').end(JSON.stringify(packument(tarballs.get(path)!)))
    else response.writeHead(307, { location: upstream + request.url }).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    async close() {
      const closed = new Promise(resolve => server.close(resolve))
      server.closeAllConnections()
      await Promise.race([closed, sleep(1_000)])
    },
  }

  /** What npm asks for first: all versions of a package, which is one here. */
  function packument(file: string): object {
    const manifest = JSON.parse(execFileSync('tar', ['-xzOf', file, 'package/package.json'], { encoding: 'utf8' }))
    const integrity = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`
    const dist = { tarball: `${url}/-/${basename(file)}`, integrity }
    return {
      name: manifest.name,
      'dist-tags': { latest: manifest.version },
      versions: { [manifest.version]: { ...manifest, dist } },
    }
  }
}
