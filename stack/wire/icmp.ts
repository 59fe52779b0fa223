/** ICMP (RFC 792). Word offsets count from the start of the ICMP message, whose place depends on the IP header. */
export const PROTOCOL_ICMP = 1

export const ICMP_CHECKSUM = 1
/** Of "fragmentation needed": the MTU of the next hop (RFC 1191 section 4). */
export const ICMP_NEXT_MTU = 3
/** Bytes of the fixed part. */
export const ICMP_BYTES = 8

/** Type and code as they read in one word: type in the low byte. */
export const ECHO_REPLY = 0
export const ECHO_REQUEST = 8
export const DESTINATION_UNREACHABLE = 3
export const TIME_EXCEEDED = 11
/** Codes of destination unreachable. */
export const PROTOCOL_UNREACHABLE = 2
export const PORT_UNREACHABLE = 3
export const FRAGMENTATION_NEEDED = 4
/** Code of time exceeded. */
export const REASSEMBLY_TIME_EXCEEDED = 1
