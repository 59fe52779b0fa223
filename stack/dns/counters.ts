/** What the DNS client did, and what it did not believe. */
export class DnsCounters {
  /** Questions of programs, and those that the cache or an equal question under way answered. */
  lookups = 0
  cached = 0
  shared = 0
  /** Datagrams that went out, and questions asked again over TCP. */
  sent = 0
  overTcp = 0
  /** Datagrams from another address or port than the question went to. */
  foreign = 0
  /** Answers with another id, to another question, or that are questions themselves: somebody guesses, or they come late. */
  unasked = 0
  /** Answers that are not what RFC 1035 says. */
  malformed = 0
  /** Servers that did not answer a question in time, however often it was asked. */
  timeouts = 0
}
