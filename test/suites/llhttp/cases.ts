/** The test cases of llhttp: Markdown with the bytes (```http) and what llhttp's parser says to them (```log). */

export interface Case {
  /** File and line. */
  readonly place: string
  readonly name: string
  readonly type: string
  readonly meta: Record<string, unknown>
  /** One character a byte. */
  readonly input: string
  /** What llhttp makes of it. */
  readonly expected: Expected
}

export interface Expected {
  /** Complete messages. */
  readonly messages: number
  /** The reason of a real error; stops that the test itself asks for, and upgrades, are none. */
  readonly error: string | undefined
  /** What follows is another protocol (CONNECT, Upgrade). */
  readonly upgrade: boolean
  readonly methods: readonly string[]
  readonly urls: readonly string[]
  /** Bodies of the complete messages, joined. */
  readonly body: string
}

export function readCases(file: string, markdown: string): Case[] {
  const cases: Case[] = []
  const lines = markdown.split('\n')
  let name = '',
    nameLine = 0
  let meta: Record<string, unknown> | undefined
  let input: string | undefined
  for (let i = 0; i < lines.length; i++) {
    const heading = /^#+ (.*)/.exec(lines[i])
    if (heading) [name, nameLine] = [heading[1], i + 1]
    const comment = /^<!-- meta=(.*?)\s*-->/.exec(lines[i])
    if (comment) meta = JSON.parse(comment[1])
    const fence = /^```(http|log|url)$/.exec(lines[i])
    if (!fence) continue
    const block: string[] = []
    while (lines[++i] !== '```') block.push(lines[i])
    if (fence[1] === 'http') input = bytesOf(block.join('\n'))
    else if (fence[1] === 'log' && input !== undefined && meta !== undefined) {
      cases.push({ place: `${file}:${nameLine}`, name, type: String(meta.type), meta, input, expected: readLog(block, meta) })
      input = meta = undefined
    }
  }
  return cases
}

/** The escapes of these files. A line end in the file is CR LF on the wire, but the last one. */
function bytesOf(text: string): string {
  return (
    text
      .replace(/\\(\r\n|\r|\n)/g, '')
      .replace(/\r\n|\r|\n/g, '\r\n')
      .replace(/\\r/g, '\r')
      .replace(/\\n/g, '\n')
      .replace(/\\t/g, '\t')
      .replace(/\\f/g, '\f')
      .replace(/\\x([0-9a-fA-F]+)/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
      .replace(/\\([0-7]{1,3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)))
      // Inline JavaScript: only repetitions of a text are in use.
      .replace(/\$\{(.+?)\}/g, (all, code) => {
        const repeat = /^(['"])(.*)\1\.repeat\((\d+)\)$/.exec(code)
        if (repeat === null) throw new Error(`an expression that is not known: ${all}`)
        return repeat[2].repeat(Number(repeat[3]))
      })
  )
}

function readLog(lines: readonly string[], meta: Record<string, unknown>): Expected {
  let messages = 0,
    upgrade = false,
    body = '',
    begun = ''
  let error: string | undefined
  const methods: string[] = [],
    urls: string[] = []
  for (const line of lines) {
    const span = /span\[(\w+)\]="(.*)"$/.exec(line)
    if (span?.[1] === 'method') methods.push(span[2])
    if (span?.[1] === 'url') urls.push(span[2])
    if (span?.[1] === 'body') begun += span[2]
    if (/ message complete$/.test(line)) [messages, body, begun] = [messages + 1, body + begun, '']
    if (/ upgrade=1/.test(line)) upgrade = true
    const failed = /error code=(\d+) reason="(.*)"/.exec(line)
    // 21 is a pause, 22 an upgrade; the test asked for the pause.
    if (failed === null) continue
    if (failed[1] === '22') upgrade = true
    else if (failed[1] !== '21' && meta.pause === undefined) error = failed[2]
  }
  return { messages, error, upgrade, methods, urls, body }
}
