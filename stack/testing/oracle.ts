/**
 * What TCP must do with one segment in each state, written from RFC 9293 section 3.10.7 and RFC 5961 and from nothing else: plain numbers,
 * no timers, no buffers. Sequence numbers count from what is expected next, acknowledgments from the first unacknowledged byte.
 */
export type State =
  | 'CLOSED'
  | 'LISTEN'
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'ESTABLISHED'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'CLOSE-WAIT'
  | 'CLOSING'
  | 'LAST-ACK'
  | 'TIME-WAIT'

export interface Situation {
  readonly state: State
  /** Bytes of sequence numbers that are sent and not acknowledged, SYN and FIN included. */
  readonly flight: number
  /** Bytes of the window we offer, and of the largest one that the peer ever offered. */
  readonly window: number
  readonly largestWindow: number
}

export interface Arrival {
  readonly syn: boolean
  readonly ack: boolean
  readonly rst: boolean
  readonly fin: boolean
  /** From RCV.NXT. */
  readonly sequence: number
  /** From SND.UNA. */
  readonly acknowledgment: number
  readonly bytes: number
}

/** What may be answered. `ACK` is <SEQ=SND.NXT><ACK=RCV.NXT>; resets are those of section 3.10.7.1. */
export type Reply = 'none' | 'ACK' | 'SYN-ACK' | 'RST <SEQ=SEG.ACK>' | 'RST <SEQ=0><ACK=SEG.SEQ+SEG.LEN>'

export interface Outcome {
  /** CLOSED: there is no connection any more; for one that was opened passively that is LISTEN. */
  readonly state: State
  /** Any of these. */
  readonly replies: readonly Reply[]
  /** By how much RCV.NXT and SND.UNA move; the bytes that the user gets. */
  readonly received: number
  readonly acknowledged: number
  readonly delivered: number
}

const outcome = (state: State, reply: Reply | readonly Reply[] = 'none', moves: Partial<Outcome> = {}): Outcome => ({
  state,
  replies: typeof reply === 'string' ? [reply] : reply,
  received: 0,
  acknowledged: 0,
  delivered: 0,
  ...moves,
})

const resetOf = ({ ack }: Arrival): Reply => (ack ? 'RST <SEQ=SEG.ACK>' : 'RST <SEQ=0><ACK=SEG.SEQ+SEG.LEN>')

export function judge(now: Situation, s: Arrival): Outcome {
  if (now.state === 'CLOSED') return outcome('CLOSED', s.rst ? 'none' : resetOf(s)) // 3.10.7.1
  if (now.state === 'LISTEN') return inListen(s)
  if (now.state === 'SYN-SENT') return inSynSent(now, s)
  return otherwise(now, s)
}

/** 3.10.7.2 */
function inListen(s: Arrival): Outcome {
  if (s.rst) return outcome('LISTEN')
  if (s.ack) return outcome('LISTEN', resetOf(s))
  return s.syn ? outcome('SYN-RECEIVED', 'SYN-ACK') : outcome('LISTEN')
}

/** 3.10.7.3 */
function inSynSent({ flight }: Situation, s: Arrival): Outcome {
  if (s.ack && (s.acknowledgment <= 0 || s.acknowledgment > flight)) return outcome('SYN-SENT', s.rst ? 'none' : resetOf(s))
  if (s.rst) return outcome(s.ack ? 'CLOSED' : 'SYN-SENT')
  if (!s.syn) return outcome('SYN-SENT')
  return s.ack ? outcome('ESTABLISHED', 'ACK', { acknowledged: flight }) : outcome('SYN-RECEIVED', 'SYN-ACK')
}

/** 3.10.7.4 */
function otherwise(now: Situation, s: Arrival): Outcome {
  const { state, window, flight } = now
  const length = s.bytes + (s.fin ? 1 : 0) + (s.syn ? 1 : 0)
  const isInside = (at: number): boolean => at >= 0 && at < window
  const isAcceptable = isInside(s.sequence) || (length > 0 && isInside(s.sequence + length - 1))
  // RFC 9293 MAY-2, RFC 6191: a new connection whose number is above all of the old one.
  if (state === 'TIME-WAIT' && s.syn && !s.ack && !s.rst && s.sequence > 0) return outcome('SYN-RECEIVED', 'SYN-ACK')
  if (state === 'TIME-WAIT' && s.rst) return outcome('TIME-WAIT') // RFC 1337, on purpose
  // First, second, fourth: sequence number; RST and SYN by RFC 5961.
  if (s.rst) {
    if (!isInside(s.sequence)) return outcome(state)
    return s.sequence === 0 ? outcome('CLOSED') : outcome(state, 'ACK')
  }
  if (!isAcceptable) return outcome(state, 'ACK')
  if (s.syn) return state === 'SYN-RECEIVED' ? outcome('CLOSED') : outcome(state, 'ACK')
  // Fifth: the acknowledgment.
  if (!s.ack) return outcome(state)
  const isNew = s.acknowledgment > 0 && s.acknowledgment <= flight
  if (state === 'SYN-RECEIVED') {
    if (!isNew) return outcome(state, resetOf(s))
    return text('ESTABLISHED', now, s, s.acknowledgment)
  }
  if (state === 'TIME-WAIT') return outcome('TIME-WAIT', s.fin ? 'ACK' : ['none', 'ACK']) // but for a FIN nothing is said of it
  if (s.acknowledgment > flight || s.acknowledgment < -now.largestWindow) return outcome(state, 'ACK')
  const acknowledged = isNew ? s.acknowledgment : 0
  const isFinAcknowledged = acknowledged === flight && flight > 0
  if (state === 'FIN-WAIT-1' && isFinAcknowledged) return text('FIN-WAIT-2', now, s, acknowledged)
  if (state === 'CLOSING') return outcome(isFinAcknowledged ? 'TIME-WAIT' : 'CLOSING', quietly(s), { acknowledged })
  if (state === 'LAST-ACK') return outcome(isFinAcknowledged ? 'CLOSED' : 'LAST-ACK', quietly(s), { acknowledged })
  return text(state, now, s, acknowledged)
}

/** After its FIN a peer has nothing to say (seventh and eighth): whether that is acknowledged once more is left open. */
const quietly = (s: Arrival): readonly Reply[] => (s.bytes > 0 || s.fin ? ['none', 'ACK'] : ['none'])

/** Seventh and eighth: what the segment carries. */
function text(state: State, { window }: Situation, s: Arrival, acknowledged: number): Outcome {
  if (state === 'CLOSE-WAIT') return outcome(state, quietly(s), { acknowledged })
  if (s.bytes === 0 && !s.fin) return outcome(state, 'none', { acknowledged })
  if (s.sequence > 0) return outcome(state, 'ACK', { acknowledged }) // kept for later
  const delivered = Math.min(s.bytes + s.sequence, window)
  const isFin = s.fin && s.bytes + s.sequence < window
  const received = delivered + (isFin ? 1 : 0)
  const next: Partial<Record<State, State>> = { ESTABLISHED: 'CLOSE-WAIT', 'FIN-WAIT-1': 'CLOSING', 'FIN-WAIT-2': 'TIME-WAIT' }
  return outcome(isFin ? next[state]! : state, 'ACK', { acknowledged, delivered, received })
}
