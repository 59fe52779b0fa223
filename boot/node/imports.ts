/**
 * What the engine's .wasm imports, for Node. The kernel has the same functions in C. Time zone is UTC everywhere: a unikernel has no
 * other, and a snapshot must not depend on the machine that made it.
 */
import type { LinearMemory } from './memory.ts'

export interface ImportHost {
  readonly memory: LinearMemory
  /** Milliseconds since 1970 for Date and for the seed of Math.random. */
  readonly clock: () => number
  /** What the engine itself prints (it does so only when it is about to abort). */
  readonly output: (bytes: Uint8Array) => void
  /** A call from JavaScript to host function `id`: argc values at argv; returns 0 for undefined or a malloc'ed JSValue*. */
  readonly call: (id: number, argc: number, argv: number) => number
}

/** The engine gave up: its state is not usable any more. */
export class EngineAbort extends Error {
  override name = 'EngineAbort'
}

// WASI error numbers (wasi_snapshot_preview1)
const EBADF = 8
const ESPIPE = 70

/** The imports by their real names; engine.ts maps them onto the minified ones. */
export function engineImports(host: ImportHost): Record<string, (...args: any[]) => unknown> {
  const { memory } = host
  const setU32 = (address: number, value: number) => {
    memory.u32[address >>> 2] = value
  }
  const setText = (address: number, text: string) => {
    memory.u8.set(new TextEncoder().encode(text + '\0'), address)
  }
  return {
    __assert_fail(condition: number, file: number, line: number) {
      throw new EngineAbort(`engine assertion failed: ${memory.cString(condition)} (${memory.cString(file)}:${line})`)
    },
    _abort_js() {
      throw new EngineAbort('the engine called abort()')
    },
    proc_exit(code: number) {
      throw new EngineAbort(`the engine called exit(${code})`)
    },
    _emscripten_runtime_keepalive_clear() {},
    _setitimer_js: () => 0,
    emscripten_date_now: () => host.clock(),
    clock_time_get(_clock: number, _precision: bigint, result: number) {
      memory.setU64(result, BigInt(Math.round(host.clock() * 1e6)))
      return 0
    },
    _tzset_js(offset: number, daylight: number, standardName: number, daylightName: number) {
      setU32(offset, 0)
      setU32(daylight, 0)
      setText(standardName, 'UTC')
      setText(daylightName, 'UTC')
    },
    _localtime_js(seconds: bigint, tm: number) {
      const date = new Date(Number(seconds) * 1000)
      const yearStart = Date.UTC(date.getUTCFullYear(), 0, 1)
      const fields = [
        date.getUTCSeconds(),
        date.getUTCMinutes(),
        date.getUTCHours(),
        date.getUTCDate(),
        date.getUTCMonth(),
        date.getUTCFullYear() - 1900,
        date.getUTCDay(),
        Math.floor((date.getTime() - yearStart) / 86_400_000),
        0,
        0,
      ]
      fields.forEach((value, i) => setU32(tm + 4 * i, value))
    },
    emscripten_resize_heap: (bytes: number) => Number(memory.grow(bytes >>> 0)),
    environ_get: () => 0,
    environ_sizes_get(count: number, bytes: number) {
      setU32(count, 0)
      setU32(bytes, 0)
      return 0
    },
    fd_close: () => EBADF,
    fd_seek: () => ESPIPE,
    fd_write(_fd: number, vectors: number, count: number, written: number) {
      let total = 0
      for (let i = 0; i < count; i++) {
        const address = memory.u32[(vectors >>> 2) + 2 * i],
          length = memory.u32[(vectors >>> 2) + 2 * i + 1]
        host.output(memory.copyOut(address, length))
        total += length
      }
      setU32(written, total)
      return 0
    },
    qts_host_call_function: (_context: number, _this: number, argc: number, argv: number, id: number) => host.call(id, argc, argv),
    qts_host_interrupt_handler: () => 0,
    qts_host_load_module_source: () => 0, // none: everything is in the bundle
    qts_host_normalize_module: () => 0,
    qts_host_ref_free() {},
  }
}
