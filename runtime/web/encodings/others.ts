/**
 * The rest of https://encoding.spec.whatwg.org/#names-and-labels : rare labels of utf-8 and windows-1252, x-user-defined, and the encodings that
 * are not here, with a sentence for each.
 */
import { labels } from '../encoding.ts'
import { addSingleBytes } from './single-byte.ts'

export const rareLabels = {
  'utf-8': 'unicode11utf8 unicode20utf8 x-unicode20utf8',
  'windows-1252': 'ansi_x3.4-1968 cp819 csisolatin1 ibm819 iso-ir-100 iso88591 iso_8859-1:1987 x-cp1252',
} as const

/** Tables of thousands of characters each, for which programs of today have no use but to read old files. */
export const multiByte: Readonly<Record<string, string>> = {
  gbk: 'chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk',
  gb18030: 'gb18030',
  big5: 'big5 big5-hkscs cn-big5 csbig5 x-x-big5',
  'euc-jp': 'cseucpkdfmtjapanese euc-jp x-euc-jp',
  'iso-2022-jp': 'csiso2022jp iso-2022-jp',
  shift_jis: 'csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis',
  'euc-kr': 'cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949',
}

/** From now on TextDecoder knows them. */
export function addOthers(): void {
  for (const [name, more] of Object.entries(rareLabels) as [keyof typeof rareLabels, string][])
    for (const label of more.split(' ')) labels.set(label, name)
  for (const [name, all] of Object.entries(multiByte)) {
    const decoder = (): never => {
      throw new RangeError(`TextDecoder: ${name}, an encoding of several bytes a character, is not there: convert the text to UTF-8 before`)
    }
    for (const label of all.split(' ')) labels.set(label, { name, decoder })
  }
  // https://encoding.spec.whatwg.org/#x-user-defined-decoder
  const upper = String.fromCharCode(...Array.from({ length: 128 }, (_, i) => 0xf780 + i))
  addSingleBytes({ name: 'x-user-defined', labels: 'x-user-defined', upper })
}
