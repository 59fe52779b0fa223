/** What `xen-ts run` prints: for people, or one JSON object a line. */
/** A call into the qube, or the script in dom0. */
interface Work {
  readonly text: string
}

export interface Printer {
  /** A line of the program's console. */
  console(line: string): void
  /** What the tool has to say. */
  note(text: string): void
  callOutput(work: Work, stream: 'stdout' | 'stderr', line: string): void
  callEnd(work: Work, code: number, error?: string): void
  end(name: string, reason: string, exitCode: number): void
}

export function printer(json: boolean): Printer {
  return json ? jsonPrinter() : textPrinter()
}

/** Output of the program and of its services on stdout, everything else on stderr. */
function textPrinter(): Printer {
  const say = (text: string) => {
    process.stderr.write(`xen-ts: ${text}\n`)
  }
  return {
    console(line) {
      process.stdout.write(`${line}\n`)
    },
    note: say,
    callOutput({ text }, stream, line) {
      process[stream].write(`${text} ${stream === 'stdout' ? '|' : '!'} ${line}\n`)
    },
    callEnd({ text }, code, error) {
      say(`${text}: ${error === undefined ? `exit code ${code}` : `failed, ${error}`}`)
    },
    end(name, reason) {
      say(`${name}: ${reason}`)
    },
  }
}

function jsonPrinter(): Printer {
  const out = (event: string, fields: object) => {
    process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`)
  }
  return {
    console: text => out('console', { text }),
    note: text => out('note', { text }),
    callOutput: ({ text: call }, stream, text) => out('call-output', { call, stream, text }),
    callEnd: ({ text: call }, exitCode, error) => out('call-end', { call, exitCode, error }),
    end: (name, reason, exitCode) => out('end', { text: `${name}: ${reason}`, reason, exitCode }),
  }
}
