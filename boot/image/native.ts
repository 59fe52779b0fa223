/** Functions of an image as machine code: @xen-ts/boot/native, since most builds do without. */
export { readBodiesFile } from '../engine/ahead/file.ts'
export { readStencilFile } from '../engine/stencils/file.ts'
export { type Bodies, compiledSizes, listFunctions, makeBodies } from './bodies.ts'
