/** A program as a qube on real Xen, beside a miniature dom0. */

import { MiniQubes, type MiniQubesOptions } from '@xen-ts/rig/dom0'
import { rigChannels, rigImages } from '@xen-ts/rig/xen'
import type { ExecutionContext } from 'ava'
import type { Running, RunOptions, XenTests } from './harness.ts'

export interface QubeOptions extends Omit<RunOptions, 'vif' | 'paused'> {
  readonly dom0?: Omit<MiniQubesOptions, 'domid' | 'channels' | 'log' | 'image'>
  /** Of the network device; false for a qube without one. */
  readonly vif?: RunOptions['vif'] | false
}

export interface Qube extends Running {
  readonly qubes: MiniQubes
  /** What dom0 had to say. */
  readonly dom0: readonly string[]
}

export const vif = { ip: '10.137.0.16', gateway: '10.137.0.1', mac: '00:16:3e:5e:6c:00' }

/** Builds and starts it. A test that ends with a daemon of dom0 dead fails. */
export async function startQube(xen: XenTests, t: ExecutionContext, app: string, qubeOptions: QubeOptions = {}): Promise<Qube> {
  const { dom0 = {}, vif: own = vif, ...options } = qubeOptions
  const running = await xen.start(t, await xen.image(app, 'qubes'), { ...options, vif: own || undefined, paused: true })
  const { domid } = running.domain
  const lines: string[] = []
  const name = app.split('/').at(-1)!.replace('.ts', '')
  const qubes = new MiniQubes({
    qube: { name, ...(own ? own : { ip: null }) },
    ...dom0,
    domid,
    channels: rigChannels(xen.rig),
    image: rigImages(xen.rig, domid),
    log: line => lines.push(line),
  })
  qubes.failed.catch(error => t.fail(String(error)))
  // With its domain a daemon has nobody to serve.
  void running.ended.then(() => qubes.stop())
  if (!options.keep) t.teardown(() => qubes.stop())
  qubes.start()
  await running.domain.unpause()
  qubes.connect()
  return { ...running, qubes, dom0: lines }
}
