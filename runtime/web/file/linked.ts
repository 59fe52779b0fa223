/**
 * Blob and FormData as an image has them: linked in only where the program needs them (names.ts). What can do without, such as a Response of
 * text, looks here.
 */
import type { FormData } from '../form/form-data.ts'
import type { Blob } from './blob.ts'
import type { Pieces } from './pieces.ts'

interface Blobs {
  piecesOf(value: unknown): Pieces | undefined
  /** @param contentType the header field of the body that these are */
  blobOf(pieces: Pieces, contentType: string | null): Blob
}

/** Takes the bytes of a body that is a form. */
export interface FormReader {
  /** @param isOwn false: they belong to somebody else, who may change them */
  push(bytes: Uint8Array<ArrayBuffer>, isOwn: boolean): void
  /** The whole form. */
  end(): FormData
}

interface Forms {
  piecesOf(value: unknown): Pieces | undefined
  /** @throws TypeError for a type that no form has */
  readerFor(contentType: string | null): FormReader
}

let linkedBlobs: Blobs | undefined
let linkedForms: Forms | undefined

/** Called by blob.ts when it is in the image. */
export const linkBlobs = (blobs: Blobs): void => {
  linkedBlobs = blobs
}
/** Called by form-data.ts when it is in the image. */
export const linkForms = (forms: Forms): void => {
  linkedForms = forms
}

/** The bytes of a Blob, or of a FormData, with the content type that goes with them; undefined for everything else. */
export const piecesOf = (value: unknown): Pieces | undefined => linkedBlobs?.piecesOf(value) ?? linkedForms?.piecesOf(value)

/** @throws TypeError in an image without Blob, which the tool makes only for a program that neither names it nor calls `.blob()` */
export function blobs(): Blobs {
  if (linkedBlobs === undefined) throw absent('Blob')
  return linkedBlobs
}

/** @throws TypeError in an image without FormData */
export function forms(): Forms {
  if (linkedForms === undefined) throw absent('FormData')
  return linkedForms
}

const absent = (name: string): TypeError => new TypeError(`this image has no ${name}: name ${name} in the program, and build it again`)
