/** What the engine as a Linux program lacks: enough for ASCII. */
class TextEncoder {
  encode(text: string): Uint8Array {
    return Uint8Array.from(text, character => character.charCodeAt(0))
  }
}
class TextDecoder {
  decode(bytes: Uint8Array): string {
    return String.fromCharCode(...bytes)
  }
}
/** Nobody aborts anything here. */
class AbortController {
  readonly signal = { addEventListener() {} }
  abort(): void {}
}
const setTimeout = (run: () => void): void => void Promise.resolve().then(run)
Object.assign(globalThis, { AbortController, TextEncoder, TextDecoder, setTimeout })
