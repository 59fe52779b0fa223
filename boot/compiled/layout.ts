/** Where things are in the records of compiled functions, for those who fill and read them. */
export { HASH_BYTES, HASH_KEY, HASH_MESSAGE, HASH_RESULT } from './half-sip-hash.ts'
export {
  ACKNOWLEDGMENT,
  ARRIVAL_BYTES,
  ECHO_AT,
  FLAGS,
  HAS_IPV4,
  HAS_PATH6,
  LENGTH,
  LONGEST,
  OFFSET,
  OWN_IPV4,
  OWN_MAC,
  PATH6,
  PORTS,
  SEQUENCE,
  SOURCE,
  STAMP_HIGH,
  STAMP_LOW,
  WINDOW,
} from './packet-in.ts'
export {
  DEPARTURE_BYTES,
  OUT_ACKNOWLEDGMENT,
  OUT_COMPLETE,
  OUT_FLAGS_WINDOW,
  OUT_PSEUDO,
  OUT_SEQUENCE,
} from './segment-out.ts'
