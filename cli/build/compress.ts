/** Files as clients like them best: compressed when the image is built, not when they are asked for. */
import { brotliCompressSync, gzipSync, constants as zlib } from 'node:zlib'
import type { AssetCoding } from '@xen-ts/runtime'

/** Types that are text in one way or another; pictures, sound and the newer fonts are compressed already. */
const compressible = /^(?:text\/|application\/(?:json|xml|wasm|manifest\+json)|image\/(?:svg\+xml|x-icon)|font\/ttf)/

/** Below it a head and a body are one segment anyway. */
const LEAST = 512
/** A variant is kept when it has at most so much of what it is a variant of: it takes memory of the guest all its life. */
const WORTH = 0.9
/** The best of brotli takes a second for each megabyte or two. */
const LARGE = 1024 * 1024

/** The variants that pay, smallest first. */
export function compressed(bytes: Uint8Array, type: string, codings: readonly AssetCoding[]): { coding: AssetCoding; bytes: Uint8Array }[] {
  if (bytes.length < LEAST || !compressible.test(type)) return []
  const variants: { coding: AssetCoding; bytes: Uint8Array }[] = []
  for (const coding of ['gzip', 'br'] as const) {
    if (!codings.includes(coding)) continue
    const smaller = coding === 'gzip' ? gzip(bytes) : brotli(bytes)
    // Every client that takes br takes gzip as well: it is measured by that, if there is one.
    if (smaller.length <= (variants[0]?.bytes ?? bytes).length * WORTH) variants.unshift({ coding, bytes: smaller })
  }
  return variants
}

function gzip(bytes: Uint8Array): Uint8Array {
  const smaller = gzipSync(bytes, { level: 9 })
  smaller[9] = 255 // the system that it was made on (RFC 1952): an image is the same wherever it is built
  return smaller
}

const brotli = (bytes: Uint8Array): Uint8Array =>
  brotliCompressSync(bytes, {
    params: {
      [zlib.BROTLI_PARAM_QUALITY]: bytes.length > LARGE ? 9 : zlib.BROTLI_MAX_QUALITY,
      [zlib.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  })
