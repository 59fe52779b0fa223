/** A network device as the stack sees it: netfront in the guest, a wire of the simulated network in tests. Neither knows the other. */
export interface EthernetDevice {
  /** 6 bytes; always the same array. */
  readonly mac: Uint8Array
  /** Largest IP packet in bytes (without the 14 bytes of the Ethernet header). */
  readonly mtu: number
  /**
   * A free buffer to build a frame in, or undefined when all are with the backend; `onWritable` tells when one came back. The
   * caller hands it back by `send` or `discard`.
   * @param length for a frame that the device shall cut into segments: its bytes, at most `largest()`; 0 for a usual one
   */
  reserve(length?: number): Frame | undefined
  /**
   * Sends the first `length` bytes. The frame belongs to the device from now on.
   * @param offload what is left to the device: COMPLETE, CHECKSUM, or to cut a frame that was reserved with a
   * length into segments of so many bytes of payload
   */
  send(frame: Frame, length: number, offload?: number): void
  discard(frame: Frame): void
  /** Called for each frame that arrives. The frame is the receiver's only during the call: copy what must stay. */
  onReceive: ((frame: Frame, length: number) => void) | undefined
  /** Called after `reserve` returned undefined, when a buffer is free again. */
  onWritable: (() => void) | undefined
  /** Called when a batch of received frames is over: the time to send acknowledgements that were held back. */
  onIdle: (() => void) | undefined
  /** Called when the device is on a wire, the first time or again: who is there may have changed, and so may `mac` and `mtu`. */
  onConnected?: (() => void) | undefined
  close(): Promise<void>

  // What not every device does.

  /** Always the same object. */
  readonly counters?: DeviceCounters

  /** Whether `send` takes CHECKSUM for the frames that `reserve` gives now, for packets of IPv4 and of IPv6. */
  readonly checksums?: boolean
  readonly checksums6?: boolean
  /** Bytes of the largest TCP frame, over IPv4 or IPv6, that `reserve` has now for the device to cut into segments; 0 when it cannot. */
  largest?(ipv6?: boolean): number
}

/** What a network device threw away, by reason; they only go up. */
export interface DeviceCounters {
  /** Packets that arrived with an error, or of a length that none can have. */
  readonly receiveErrors: number
  /** Packets that the other end says it could not send. */
  readonly sendErrors: number
  /** Packets that were built or under way when the other end went: nobody knows of the latter whether they arrived. */
  readonly sendLost: number
  /** Times that the connection was closed because the other end broke the rules. */
  readonly broken: number
}

/** For `send`: the frame goes out as it is. */
export const COMPLETE = 0
/** For `send`: the field for TCP's or UDP's checksum holds the sum of the pseudo header, not inverted; the device does the rest. */
export const CHECKSUM = 1

/** Views of one frame buffer, both starting at byte 0 of the Ethernet header. At least 1514 bytes. */
export interface Frame {
  readonly u8: Uint8Array
  /** Little-endian machine, big-endian fields: see DESIGN, principle 7. */
  readonly u16: Uint16Array
  /**
   * Set by a device on a frame that arrived: its TCP or UDP checksum need not be verified, and may not be filled in at all (the
   * sender is on the same host). Undefined means verify.
   */
  checked?: boolean
  /** Set by a device on a TCP frame that arrived uncut: bytes of payload of the segments it stands for. 0 or undefined: a usual frame. */
  segment?: number
}
