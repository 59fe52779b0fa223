/** A form as multipart/form-data: https://html.spec.whatwg.org/#multipart-form-data . Files are not copied. */
import { piecesIn } from '../file/blob.ts'
import { Pieces } from '../file/pieces.ts'
import type { Entry } from './form-data.ts'

export function encodeForm(entries: readonly Entry[]): Pieces {
  // 128 random bits: nobody who fills in a form can put its boundary into a file.
  const random = Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('')
  const boundary = `----formdata-${random}`
  const encoder = new TextEncoder()
  const list: Uint8Array<ArrayBuffer>[] = []
  let text = ''
  const add = (): void => {
    list.push(encoder.encode(text) as Uint8Array<ArrayBuffer>)
    text = ''
  }
  for (const [name, value] of entries) {
    text += `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(withLineEnds(name))}"`
    if (typeof value === 'string') {
      text += `\r\n\r\n${withLineEnds(value)}\r\n`
      continue
    }
    text += `; filename="${escaped(value.name)}"\r\nContent-Type: ${value.type || 'application/octet-stream'}\r\n\r\n`
    add()
    list.push(...(piecesIn(value) as Pieces).list)
    text = '\r\n'
  }
  text += `--${boundary}--\r\n`
  add()
  return new Pieces(list, `multipart/form-data; boundary=${boundary}`)
}

const withLineEnds = (text: string): string => text.replace(/\r\n?|\n/g, '\r\n')

const escaped = (text: string): string => text.replaceAll('\n', '%0A').replaceAll('\r', '%0D').replaceAll('"', '%22')
