/** The engine's linear memory with views that stay valid: growing it detaches every view made before. */
export class LinearMemory {
  readonly memory: WebAssembly.Memory
  #u8: Uint8Array<ArrayBuffer>
  #u32: Uint32Array<ArrayBuffer>
  /** Refuse to grow. */
  fixed = false

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory
    this.#u8 = new Uint8Array(memory.buffer as ArrayBuffer)
    this.#u32 = new Uint32Array(this.#u8.buffer)
  }

  /** All of memory as bytes. Use at once: a call into the engine may detach it. */
  get u8(): Uint8Array<ArrayBuffer> {
    if (this.#u8.length === 0) this.#refresh()
    return this.#u8
  }

  /** All of memory as 32-bit words; index = address >>> 2. Use at once. */
  get u32(): Uint32Array<ArrayBuffer> {
    if (this.#u32.length === 0) this.#refresh()
    return this.#u32
  }

  get size(): number {
    return this.u8.length
  }

  /** Grows to at least `bytes`; false when the engine's maximum is reached, or memory is fixed. */
  grow(bytes: number): boolean {
    const pages = Math.ceil((bytes - this.size) / 65536)
    if (pages > 0 && this.fixed) return false
    try {
      if (pages > 0) this.memory.grow(pages)
      return true
    } catch {
      return false
    }
  }

  /** A copy of `length` bytes at `address`. */
  copyOut(address: number, length: number): Uint8Array<ArrayBuffer> {
    return this.u8.slice(address, address + length)
  }

  /** The bytes at `address` up to a NUL. */
  cString(address: number): string {
    return this.text(address, this.u8.indexOf(0, address) - address)
  }

  /** UTF-8 text of `length` bytes at `address`. */
  text(address: number, length: number): string {
    const bytes = this.u8.subarray(address, address + length)
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
    // The engine writes a lone surrogate as three bytes ED A0-BF xx: one character, as the kernel has it, and not three wrong bytes.
    return text.includes('\ufffd\ufffd\ufffd') ? loneSurrogates(bytes) : text
  }

  /** The u64 at an address that is a multiple of 8 (a JSValue). */
  u64(address: number): bigint {
    const words = this.u32
    return (BigInt(words[(address >>> 2) + 1]) << 32n) | BigInt(words[address >>> 2])
  }

  setU64(address: number, value: bigint): void {
    const words = this.u32
    words[address >>> 2] = Number(value & 0xffffffffn)
    words[(address >>> 2) + 1] = Number(value >> 32n)
  }

  #refresh(): void {
    this.#u8 = new Uint8Array(this.memory.buffer as ArrayBuffer)
    this.#u32 = new Uint32Array(this.#u8.buffer)
  }
}

/** Of UTF-8 as the engine writes it. */
function loneSurrogates(bytes: Uint8Array): string {
  const wellFormed = bytes.slice()
  for (let i = 0; i + 2 < bytes.length; i++) if (bytes[i] === 0xed && bytes[i + 1] >= 0xa0) wellFormed.set([0xef, 0xbf, 0xbd], i)
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(wellFormed)
}
