// ids of a length and an alphabet
import { customAlphabet, nanoid } from 'nanoid'

export default async say => {
  say([nanoid().length, nanoid(10).length, /^[\w-]+$/.test(nanoid(100)), new Set([nanoid(), nanoid()]).size])
  say(/^[ab]{8}$/.test(customAlphabet('ab', 8)()))
}
