// Calls out of the engine: what every use of the ABI costs. From the host: now(), add(a, b), checksum(bytes).
(function () {
  benchmark('host-call', 20000, 20000, count => {
    let total = 0
    for (let i = 0; i < count; i++) total = add(total, 1)
    return total
  })

  benchmark('host-clock', 20000, 20000, count => {
    let later = 0, last = now()
    for (let i = 0; i < count; i++) {
      const time = now()
      if (time >= last) later++
      last = time
    }
    return later
  })

  const packet = Uint8Array.from({ length: 1500 }, (_, i) => i * 7)
  const once = checksum(packet)
  benchmark('host-checksum', 5000, 5000 * once, count => {
    let total = 0
    for (let i = 0; i < count; i++) total += checksum(packet)
    return total
  })
})()
