/** UDP (RFC 768). Word offsets count from the start of the UDP header. */
export const PROTOCOL_UDP = 17

export const UDP_SOURCE = 0
export const UDP_DESTINATION = 1
export const UDP_LENGTH = 2
export const UDP_CHECKSUM = 3
export const UDP_BYTES = 8
