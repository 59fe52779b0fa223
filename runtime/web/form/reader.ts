/** A body that is a form: https://fetch.spec.whatwg.org/#dom-body-formdata , and bounded, since it comes from a peer. */
import { ByteCollector } from '../../byte-collector.ts'
import { File } from '../file/file.ts'
import type { FormReader } from '../file/linked.ts'
import { Pieces } from '../file/pieces.ts'
import { extractMimeType } from '../mime.ts'
import { URLSearchParams } from '../url/url-search-params.ts'
import type { FormData } from './form-data.ts'
import { decode, MultipartParser, type PartHead, wrong } from './multipart.ts'
import { PartBytes } from './part-bytes.ts'

/** Entries of a form. An entry of no bytes takes some 200 bytes of memory, so that a limit on the bytes would be none. */
export const MAX_ENTRIES = 1000

/** @throws TypeError for a type that no form has */
export function readerFor(contentType: string | null, make: () => FormData): FormReader {
  const type = extractMimeType(contentType)
  if (type?.essence === 'application/x-www-form-urlencoded') return new UrlencodedReader(make())
  if (type?.essence !== 'multipart/form-data')
    throw new TypeError(
      `formData: Content-Type is ${contentType ?? 'missing'}: it must be multipart/form-data or application/x-www-form-urlencoded`,
    )
  return new MultipartReader(make(), type.parameters.get('boundary'))
}

class MultipartReader implements FormReader {
  readonly #form: FormData
  readonly #parser: MultipartParser
  #count = 0
  #head: PartHead | undefined
  #bytes = new PartBytes()

  constructor(form: FormData, boundary: string | undefined) {
    this.#form = form
    this.#parser = new MultipartParser(boundary, {
      part: head => {
        if (++this.#count > MAX_ENTRIES) throw tooMany()
        this.#head = head
        this.#bytes = new PartBytes()
      },
      data: (bytes, isOwn) => this.#bytes.push(bytes, isOwn),
      partEnd: () => this.#add(this.#head as PartHead, this.#bytes.take()),
    })
  }

  push(bytes: Uint8Array<ArrayBuffer>, isOwn: boolean): void {
    this.#parser.push(bytes, isOwn)
  }

  end(): FormData {
    this.#parser.end()
    return this.#form
  }

  /** A field is UTF-8 whatever its part says of itself. */
  #add({ name, filename, type = 'text/plain' }: PartHead, list: Uint8Array<ArrayBuffer>[]): void {
    if (filename === undefined) this.#form.append(name, decode(new Pieces(list).joined()))
    else this.#form.append(name, new File(new Pieces(list, /[^\x20-\x7e]/.test(type) ? '' : type.toLowerCase()), filename))
  }
}

class UrlencodedReader implements FormReader {
  readonly #form: FormData
  readonly #bytes = new ByteCollector()

  constructor(form: FormData) {
    this.#form = form
  }

  push(bytes: Uint8Array<ArrayBuffer>, isOwn: boolean): void {
    this.#bytes.push(isOwn || this.#bytes.length > 0 ? bytes : bytes.slice())
  }

  end(): FormData {
    const bytes = this.#bytes.take()
    let count = 1
    for (let at = bytes.indexOf(AMPERSAND); at >= 0; at = bytes.indexOf(AMPERSAND, at + 1)) if (++count > MAX_ENTRIES) throw tooMany()
    // In a form a question mark at the begin is one of the name; URLSearchParams drops one.
    for (const [name, value] of new URLSearchParams(`?${decode(bytes)}`)) this.#form.append(name, value)
    return this.#form
  }
}

const AMPERSAND = 38

const tooMany = (): TypeError => wrong(`it has more than ${MAX_ENTRIES} entries`)
