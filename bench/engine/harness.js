// Loaded first, in the guest's engine. A workload is measured a few times; the fastest counts, being the least disturbed.
// From the host: print(text), now() in milliseconds.
var benchmarkRounds = 3

/** Runs work(count) and prints "name nanoseconds" for one of the `count` repetitions. `work` returns something that is checked. */
function benchmark(name, count, expected, work) {
  var fastest = Infinity
  for (var round = 0; round < benchmarkRounds; round++) {
    var start = now(), result = work(count), took = now() - start
    if (String(result) !== String(expected)) throw new Error(name + ' gives ' + result + ', expected ' + expected)
    if (took < fastest) fastest = took
  }
  print(name + ' ' + (fastest * 1e6 / count).toFixed(1))
}
