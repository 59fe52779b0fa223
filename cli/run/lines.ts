/** Cuts a stream of text into lines; a part of a line that nothing follows for a while is given out as it is. */
export function lineSplitter(onLine: (line: string) => void, patience = 300) {
  let rest = ''
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    if (rest) onLine(rest)
    rest = ''
  }
  return {
    push(text: string): void {
      clearTimeout(timer)
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      for (const line of lines) onLine(line.replace(/\r$/, ''))
      if (rest) timer = setTimeout(flush, patience)
    },
    end(): void {
      clearTimeout(timer)
      flush()
    },
  }
}
