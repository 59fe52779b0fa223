/** What a connection is at; from CLOSING on no request is read any more. */

/** Waiting for a request or reading it. */
export const READING = 0
/** The handler runs, or its stream. */
export const HANDLING = 1
/** The response waits for room. */
export const WRITING = 2
/** The response is sent, and what the handler has not read of the request still comes. */
export const DRAINING = 3
/** Only the client's end is missing. */
export const CLOSING = 4
export const CLOSED = 5
/** The connection is another protocol's: its `successor` has it. */
export const UPGRADED = 6
