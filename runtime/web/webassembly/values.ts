/** Values between JavaScript and WebAssembly: https://webassembly.github.io/spec/js-api/#towebassemblyvalue . Types are letters (boot/wasm/describe.ts). */
import { f32, f64, i32, i64 } from './native.ts'

const one = { i: new Int32Array(1), j: new BigInt64Array(1), f: new Float32Array(1), d: new Float64Array(1) }

/** Converts with the rules of typed arrays, which are these. */
export function converted(type: string, value: unknown): number | bigint {
  const cell = one[type as keyof typeof one]
  cell[0] = value as never
  return cell[0]
}

/** Writes values in their places: all are converted first, since that may call the program's code, which may call WebAssembly. */
export function put(types: string, values: ArrayLike<unknown>): void {
  for (let i = 0; i < types.length; i++) {
    const value = values[i]
    const isReady = types[i] === 'j' ? typeof value === 'bigint' : typeof value === 'number'
    if (isReady) continue
    const ready = Array.from(types, (type, k) => converted(type, values[k]))
    write(types, ready)
    return
  }
  write(types, values)
}

function write(types: string, values: ArrayLike<unknown>): void {
  for (let i = 0; i < types.length; i++) {
    const value = values[i]
    switch (types[i]) {
      case 'i':
        i32[2 * i] = value as number
        break
      case 'd':
        f64[i] = value as number
        break
      case 'f':
        f32[2 * i] = value as number
        break
      default:
        i64[i] = value as bigint
    }
  }
}

export function get(type: string, place: number): number | bigint {
  switch (type) {
    case 'i':
      return i32[2 * place]
    case 'd':
      return f64[place]
    case 'f':
      return f32[2 * place]
    default:
      return i64[place]
  }
}

export const types: Readonly<Record<string, string>> = { i32: 'i', i64: 'j', f32: 'f', f64: 'd' }
