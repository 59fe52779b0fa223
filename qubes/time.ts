/**
 * The wall clock. Xen's is dom0's, which may be wrong; the qube asks the clock qube through dom0, as Linux qubes do at boot, after
 * a resume and every six hours (qvm-sync-clock and qubes-sync-clock of qubes-core-agent-linux).
 */
import { describeBriefly, type Log, type XenMachine } from '@xen-ts/runtime/machine'
import { QrexecError, QrexecRefusedError } from './qrexec/errors.ts'
import type { OutgoingCall } from './qrexec/outgoing.ts'
import { sleep } from './supervise.ts'
import { Text } from './text.ts'

const SERVICE = 'qubes.GetDate+nanoseconds'
/** Milliseconds from one answer to the next question; until the first try after a failure, which doubles. */
const INTERVAL = 6 * 3600_000
const RETRY = 60_000
/**
 * Milliseconds before the first question: booting goes first, and a program that ends soon needs no answer. Xen's clock is seldom
 * wrong.
 */
const FIRST = 1_000
/** Milliseconds for an answer: policy may ask the user. */
const PATIENCE = 120_000
/** Bytes of an answer with nanoseconds. */
const LONGEST = 36
/** A step of so many milliseconds is worth a line in the log. */
const NOTABLE = 1_000
/** Nothing of this was written before, and nothing of it will run after. */
const EARLIEST = Date.UTC(2026, 0)
const LATEST = Date.UTC(2100, 0)

export interface ClockOptions {
  readonly machine: Pick<XenMachine, 'timers' | 'log'> & {
    readonly abi: Pick<XenMachine['abi'], 'clockWall' | 'clockSet' | 'utf8Encode' | 'utf8Decode'>
  }
  readonly qrexec: { call(target: string, service: string): OutgoingCall }
}

/** Keeps the wall clock right. What goes wrong is a line in the log at most: a program without the time of dom0 has Xen's. */
export class Clock {
  readonly #options: ClockOptions
  readonly #log: Log
  readonly #text: Text
  readonly #abort = new AbortController()
  /** Ends the pause between two questions. */
  #pause = new AbortController()
  #failing = false

  constructor(options: ClockOptions) {
    this.#options = options
    this.#log = options.machine.log('clock')
    this.#text = new Text(options.machine.abi)
  }

  /** Asks now and from time to time. Resolves after `close`, never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#abort
    let retry = RETRY
    await sleep(this.#options.machine.timers, FIRST, this.#pause.signal)
    while (!signal.aborted) {
      const pause = (this.#pause = new AbortController())
      const refused = await this.#ask()
      // Policy does not change its mind soon, and each refusal may be shown to the user.
      const wait = refused || !this.#failing ? INTERVAL : retry
      retry = this.#failing ? Math.min(retry * 2, INTERVAL) : RETRY
      if (!signal.aborted) await sleep(this.#options.machine.timers, wait, pause.signal)
    }
  }

  /** Asks again now: the domain was suspended, and the host's clock is what it had when it woke up. */
  resumed(): void {
    this.#pause.abort()
  }

  close(): void {
    this.#abort.abort()
    this.#pause.abort()
  }

  /** One question. Gives whether it was refused. */
  async #ask(): Promise<boolean> {
    const { qrexec, machine } = this.#options
    const call = qrexec.call('@default', SERVICE)
    const end = (): void => call.close()
    const timer = machine.timers.set(PATIENCE, end)
    this.#abort.signal.addEventListener('abort', end)
    try {
      this.#set(...(await this.#answer(call)))
      this.#failing = false
      return false
    } catch (error) {
      if (this.#abort.signal.aborted) return false
      const line = `dom0 did not tell the time, Xen's is used: ${describeBriefly(error)}`
      if (this.#failing) this.#log.debug(line)
      else this.#log.info(line)
      this.#failing = true
      return error instanceof QrexecRefusedError
    } finally {
      timer.cancel()
      this.#abort.signal.removeEventListener('abort', end)
      call.close()
    }
  }

  /** The date, and the monotonic time (ms) at which it came: the end of the call is later. */
  async #answer(call: OutgoingCall): Promise<[date: number, at: number]> {
    let text = ''
    let at = 0
    for await (const bytes of call.stdout) {
      if (text === '') at = this.#options.machine.timers.now()
      text += this.#text.decode(bytes)
      if (text.length > LONGEST) break
    }
    if (text.length <= LONGEST) {
      const { code } = await call.wait()
      if (code !== 0) throw new QrexecError(`${SERVICE} ended with exit code ${code}`)
    }
    const date = parseDate(text)
    if (date === undefined)
      throw new RangeError(
        text === ''
          ? 'the answer is empty: no clock qube is set in dom0 (qubes-prefs clockvm)'
          : `its answer is not a date: ${JSON.stringify(text.slice(0, 40))}`,
      )
    return [date, at]
  }

  #set(date: number, at: number): void {
    const { abi, timers } = this.#options.machine
    const now = date + timers.now() - at
    const step = now - abi.clockWall()
    abi.clockSet(now)
    const line = `corrected by ${(step / 1000).toFixed(3)} s, as dom0 says`
    if (Math.abs(step) >= NOTABLE) this.#log.info(line)
    else this.#log.debug(line)
  }
}

/** `2026-11-22T18:29:54,123456789+00:00` or without the fraction, and a newline (`date -u -Ins`, `date -u -Iseconds`). */
const DATE = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:,(\d{9}))?\+00:00\n$/

/** Milliseconds since 1970 with fractions; undefined when it is not a date in UTC that can be true. */
export function parseDate(untrusted: string): number | undefined {
  const match = DATE.exec(untrusted)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number)
  const whole = Date.UTC(year, month - 1, day, hour, minute, second)
  // The 31st of February would be a day in March.
  if (new Date(whole).toISOString().slice(0, 19) !== untrusted.slice(0, 19)) return undefined
  if (whole < EARLIEST || whole >= LATEST) return undefined
  return whole + Number(match[7] ?? 0) / 1e6
}
