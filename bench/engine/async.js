// Promises. Runs as jobs after the script, so it measures by itself.
(async function () {
  const double = async x => x * 2
  let fastest = Infinity
  for (let round = 0; round < benchmarkRounds; round++) {
    const start = now(), count = 5000
    let total = 0
    for (let i = 0; i < count; i++) total += await double(i)
    for (let i = 0; i < count / 10; i++) total += (await Promise.all([double(1), 2, double(3)])).length
    const took = now() - start
    if (total !== 24995000 + 1500) throw new Error(`async gives ${total}`)
    if (took < fastest) fastest = took
  }
  print(`async ${(fastest * 1e6 / 5500).toFixed(1)}`)
})()
