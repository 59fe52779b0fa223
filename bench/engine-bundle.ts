import type { BuildOptions } from 'esbuild'

/** How scripts for the bare engine are bundled: what it lacks of the language is written in another way, its globals are the caller's to inject. */
export const engineBundle = {
  bundle: true,
  write: false,
  format: 'iife',
  platform: 'neutral',
  target: 'es2024',
  supported: { 'for-await': false },
  mainFields: ['module', 'main'],
  charset: 'utf8',
  logLevel: 'warning',
} as const satisfies BuildOptions
