/** Counts what guests ask of the hypervisor, from outside and so for any guest alike: with Xen's own trace of VM exits. */
import type { Domain, Rig } from '@xen-ts/rig/xen'

/** Events of xen/include/public/trace.h: a hypercall of a guest with hardware virtualization. */
const HANDLERS = 0x00082000
const VMMCALL = HANDLERS + 0x12
const LOST_RECORDS = 0x0001f001

/**
 * Runs a command in dom0 and counts the hypercalls of a guest meanwhile. The trace costs time: measure that in another run.
 * @param others guests that are paused, since the trace does not tell whose hypercall it is
 * @throws RigError when the command fails; Error when the trace has gaps
 */
export async function countHypercalls(
  rig: Rig,
  command: string,
  others: readonly Domain[],
): Promise<{ stdout: string; hypercalls: number }> {
  for (const { domid } of others) await rig.must(`xl pause ${domid}`)
  const file = '/tmp/hypercalls'
  // The tracer has begun when its file is there; its buffers are read once more before it ends.
  const stdout = await rig.must(
    `rm -f ${file}; xentrace -D -S 256 -e ${HANDLERS} ${file} >/dev/null 2>&1 & tracer=$!
    until [ -e ${file} ]; do sleep 0.1; done; sleep 0.3; ${command}; status=$?; sleep 0.3; kill -INT $tracer; wait $tracer; exit $status`,
    { seconds: 120 },
  )
  for (const { domid } of others) await rig.must(`xl unpause ${domid}`)
  const words = Buffer.from(await rig.must(`base64 ${file} && rm ${file}`, { seconds: 120 }), 'base64')
  return { stdout, hypercalls: count(new Uint32Array(Uint8Array.from(words).buffer)) }
}

/** A record is a word (event, number of further words, whether a time stamp of two words stands before those), then what it says. */
function count(words: Uint32Array): number {
  let hypercalls = 0
  for (let at = 0; at < words.length; ) {
    const event = words[at]! & 0x0fffffff
    if (event === LOST_RECORDS) throw new Error('Xen lost records of the trace: give xentrace larger buffers (-S)')
    if (event === VMMCALL) hypercalls++
    at += 1 + (words[at]! >>> 31) * 2 + ((words[at]! >>> 28) & 7)
  }
  return hypercalls
}
