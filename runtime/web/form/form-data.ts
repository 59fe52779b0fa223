/** https://xhr.spec.whatwg.org/#interface-formdata . There are no elements of a page to make one from. */
import { type Blob, piecesIn } from '../file/blob.ts'
import { File } from '../file/file.ts'
import { linkForms } from '../file/linked.ts'
import { pairIterators } from '../pair-iterator.ts'
import { encodeForm } from './encode.ts'
import { readerFor } from './reader.ts'

export type FormDataEntryValue = string | File
export type Entry = [name: string, value: FormDataEntryValue]

/** The entries of a FormData; undefined for everything else. */
let entriesIn: (value: unknown) => readonly Entry[] | undefined

export class FormData {
  #entries: Entry[] = []

  static {
    entriesIn = value => (typeof value === 'object' && value !== null && #entries in value ? value.#entries : undefined)
  }

  constructor(form?: undefined) {
    if (form !== undefined) throw new TypeError('FormData: there are no pages here, so it is made of nothing; append() adds to it')
  }

  append(name: string, value: string | Blob, filename?: string): void {
    this.#entries.push(entryOf('append', arguments, name, value, filename))
  }

  /** Replaces the first of that name and drops the others. */
  set(name: string, value: string | Blob, filename?: string): void {
    const entry = entryOf('set', arguments, name, value, filename)
    const index = this.#entries.findIndex(([own]) => own === entry[0])
    if (index < 0) {
      this.#entries.push(entry)
      return
    }
    this.#entries[index] = entry
    this.#entries = this.#entries.filter(([own], i) => i <= index || own !== entry[0])
  }

  delete(name: string): void {
    const wanted = nameOf('delete', arguments, name)
    this.#entries = this.#entries.filter(([own]) => own !== wanted)
  }

  get(name: string): FormDataEntryValue | null {
    const wanted = nameOf('get', arguments, name)
    return this.#entries.find(([own]) => own === wanted)?.[1] ?? null
  }
  getAll(name: string): FormDataEntryValue[] {
    const wanted = nameOf('getAll', arguments, name)
    return this.#entries.filter(([own]) => own === wanted).map(([, value]) => value)
  }
  has(name: string): boolean {
    const wanted = nameOf('has', arguments, name)
    return this.#entries.some(([own]) => own === wanted)
  }

  forEach(callback: (value: FormDataEntryValue, name: string, form: FormData) => void, self?: unknown): void {
    if (typeof callback !== 'function') throw new TypeError('FormData.forEach: the argument must be a function')
    for (let i = 0; i < this.#entries.length; i++) callback.call(self, this.#entries[i][1], this.#entries[i][0], this)
  }

  entries(): IterableIterator<Entry> {
    return iterate(() => this.#entries as [string, never][], 'entries')
  }
  keys(): IterableIterator<string> {
    return iterate(() => this.#entries as [string, never][], 'keys')
  }
  values(): IterableIterator<FormDataEntryValue> {
    return iterate(() => this.#entries as [string, never][], 'values')
  }
  declare [Symbol.iterator]: () => IterableIterator<Entry>
  static {
    Object.defineProperty(FormData.prototype, Symbol.iterator, { value: FormData.prototype.entries, writable: true, configurable: true })
  }
}

const iterate = pairIterators('FormData')

function nameOf(method: string, { length }: IArguments, name: string): string {
  if (length < 1) throw new TypeError(`FormData.${method}: the name is missing`)
  return `${name}`.toWellFormed()
}

/** https://xhr.spec.whatwg.org/#create-an-entry */
function entryOf(method: string, given: IArguments, name: string, value: string | Blob, filename: string | undefined): Entry {
  if (given.length < 2) throw new TypeError(`FormData.${method}: it takes a name and a value`)
  const pieces = piecesIn(value)
  if (pieces === undefined) {
    if (given.length > 2) throw new TypeError(`FormData.${method}: only a Blob has a file name`)
    return [`${name}`.toWellFormed(), `${value as string}`.toWellFormed()]
  }
  const key = `${name}`.toWellFormed()
  const isFile = value instanceof File
  if (isFile && filename === undefined) return [key, value]
  return [key, new File(pieces, filename ?? 'blob', isFile ? { lastModified: value.lastModified } : {})]
}

linkForms({
  piecesOf(value) {
    const entries = entriesIn(value)
    return entries === undefined ? undefined : encodeForm(entries)
  },
  readerFor: contentType => readerFor(contentType, () => new FormData()),
})
