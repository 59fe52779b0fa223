/** What callgrind wrote: instructions by function, themselves only, and by address. https://valgrind.org/docs/manual/cl-format.html */

export interface Profile {
  readonly total: number
  readonly byFunction: ReadonlyMap<string, number>
  readonly byAddress: ReadonlyMap<number, number>
}

/**
 * Lines of costs belong to the `fn=` before them; what follows a `calls=` line is the callee's, and is not counted. Names come once, with a number;
 * `'2` behind one is a call within a call. Positions are addresses and lines, `+n` and `-n` from the one before, `*` the same.
 */
export function readProfile(text: string): Profile {
  const byFunction = new Map<string, number>()
  const byAddress = new Map<number, number>()
  const names = new Map<string, string>()
  let total = 0
  let current = ''
  let isCall = false
  let address = 0
  for (const line of text.split('\n')) {
    const name = /^(c?)fn=\((\d+)\)(?: (.*))?$/.exec(line)
    if (name) {
      const [, isCallee, number, given] = name
      if (given !== undefined) names.set(number!, given.replace(/'\d+$/, ''))
      if (isCallee === '') current = names.get(number!)!
    } else if (line.startsWith('calls=')) isCall = true
    else if (/^(?:0x|[+\-*\d])/.test(line)) {
      const [position, , cost] = line.split(' ')
      if (position!.startsWith('0x')) address = Number(position)
      else if (position !== '*') address += Number(position)
      if (!isCall) {
        total += Number(cost)
        byFunction.set(current, (byFunction.get(current) ?? 0) + Number(cost))
        byAddress.set(address, (byAddress.get(address) ?? 0) + Number(cost))
      }
      isCall = false
    }
  }
  return { total, byFunction, byAddress }
}
