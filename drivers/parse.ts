/** Checks for text that other domains wrote. */

/** A decimal number from 0 to `max` of digits only; undefined for anything else. */
export function parseDecimal(untrusted: string | undefined, max: number): number | undefined {
  if (untrusted === undefined || untrusted.length === 0 || untrusted.length > 10) return undefined
  let value = 0
  for (let i = 0; i < untrusted.length; i++) {
    const digit = untrusted.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return value <= max ? value : undefined
}

/** A MAC address as six hexadecimal bytes; undefined for anything else, and for group addresses, which no device has. */
export function parseMac(untrusted: string | undefined): Uint8Array | undefined {
  if (untrusted === undefined || !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(untrusted)) return undefined
  const mac = Uint8Array.from(untrusted.split(':'), byte => Number.parseInt(byte, 16))
  return (mac[0] & 1) === 0 ? mac : undefined
}
