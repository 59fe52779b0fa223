/** What the tests of this package use of Node's Buffer, for when they run in the guest's engine (esbuild's inject). */
export class Buffer extends Uint8Array {
  static override from(source: any, encoding?: any, length?: number): any {
    if (typeof source === 'string')
      return new Buffer(encoding === 'latin1' ? Uint8Array.from(source, c => c.charCodeAt(0)) : new TextEncoder().encode(source))
    if (source instanceof ArrayBuffer) return new Buffer(source, encoding as number, length as number)
    const bytes = new Buffer((source as ArrayLike<number>).length)
    bytes.set(source as ArrayLike<number>)
    return bytes
  }

  static alloc(length: number): Buffer {
    return new Buffer(length)
  }

  static concat(parts: readonly Uint8Array[]): Buffer {
    const whole = new Buffer(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  }

  static compare(a: Uint8Array, b: Uint8Array): number {
    for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1
    return a.length - b.length
  }

  equals(other: Uint8Array): boolean {
    return Buffer.compare(this, other) === 0
  }
  override includes(text: any): boolean {
    return this.toString('latin1').includes(text)
  }
  readUInt16BE(at: number): number {
    return (this[at] << 8) | this[at + 1]
  }
  readUInt32BE(at: number): number {
    return ((this.readUInt16BE(at) << 16) | this.readUInt16BE(at + 2)) >>> 0
  }
  writeUInt16BE(value: number, at: number): void {
    this.set([value >> 8, value], at)
  }
  writeUInt16LE(value: number, at: number): void {
    this.set([value, value >> 8], at)
  }
  writeUInt32BE(value: number, at: number): void {
    this.set([value >> 24, value >> 16, value >> 8, value], at)
  }

  override toString(encoding?: string): string {
    if (encoding === 'hex') return Array.from(this, byte => byte.toString(16).padStart(2, '0')).join('')
    if (encoding === 'latin1') return Array.from(this, byte => String.fromCharCode(byte)).join('')
    return new TextDecoder().decode(this)
  }
}
