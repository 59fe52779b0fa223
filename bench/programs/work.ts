/**
 * What agents do all day, without Xen: messages as bytes, closures, maps, strings. Run in a guest and on the host's own CPU, it
 * tells how much slower the emulated CPU is.
 */
export function work(): number {
  const keys = new Map<string, string>()
  const queue: (() => void)[] = []
  let sum = 0
  for (let i = 0; i < 4000; i++) {
    const bytes = new Uint8Array(72)
    for (let j = 0; j < 8; j++) bytes[j] = i >>> j
    const path = `/qubes-service/${i & 255}`
    keys.set(path, String(bytes[0]! | (bytes[1]! << 8)))
    queue.push(() => {
      sum = (sum + Number(keys.get(path)) + path.split('/').length) >>> 0
    })
    if (queue.length > 16) for (const run of queue.splice(0)) run()
  }
  return sum
}
