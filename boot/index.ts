/**
 * Images: a heap snapshot of a program's bundle, and the file that Xen boots. The ABI by itself is @xen-ts/boot/abi; tests in the guest's
 * engine are @xen-ts/boot/testing and, for what runs there, @xen-ts/boot/cases.
 */
export type { CodePart, Relocation } from './image/code.ts'
export {
  type ComposedImage,
  composeImage,
  ImageError,
  type ImageFacts,
  type ImageInfo,
  type ImageMetadata,
  type ImageParts,
  readImage,
} from './image/compose.ts'
export type { Snapshot } from './image/format.ts'
export { inspectSnapshot, type MadeSnapshot, makeSnapshot, type SnapshotOptions } from './image/snapshot.ts'
export { withCompileCache } from './node/compile-cache.ts'
export { evaluateInEngine, warmEngine } from './node/evaluate.ts'
export type { KeptFacts } from './node/facts.ts'
