/** What the HTTP server did not let through to the program, and what did not get through to clients. */
export class HttpCounters {
  /** Requests that were answered without the program, since they are none (400, 421, 501 and their like). */
  refused = 0
  /** The same, with a body or head that is too large (413, 431), and those that took too long to come in (408). */
  tooLarge = 0
  tooSlow = 0
  /** The program failed: answered with 500, or reset in the middle of the answer. Its log says why. */
  failed = 0
  /** Connections that were reset because the client took nothing any more, or had gone, or the server's time was over. */
  abandoned = 0
}
