/** Currencies as English (US) writes them, from CLDR, and the digits of their minor units, from ISO 4217. */

const symbols =
  'USD $ EUR € GBP £ JPY ¥ INR ₹ CNY CN¥ KRW ₩ BRL R$ CAD CA$ AUD A$ MXN MX$ NZD NZ$ HKD HK$ ILS ₪ TWD NT$ VND ₫ XAF FCFA XPF CFPF XCD EC$ PHP ₱'

/** Where they are shorter than the above. */
const narrow =
  'CNY ¥ CAD $ AUD $ MXN $ NZD $ HKD $ TWD $ XCD $ SGD $ ARS $ CLP $ COP $ RUB ₽ UAH ₴ TRY ₺ PLN zł CZK Kč SEK kr NOK kr DKK kr ISK kr HUF Ft ' +
  'THB ฿ NGN ₦ KZT ₸ GEL ₾ BDT ৳ EGP E£ ZAR R RON lei IDR Rp MYR RM CRC ₡ GHS GH₵ PYG ₲'

/** Of one, and of others. */
const names =
  'USD US dollar|US dollars,EUR euro|euros,GBP British pound|British pounds,JPY Japanese yen|Japanese yen,CHF Swiss franc|Swiss francs,' +
  'INR Indian rupee|Indian rupees,CNY Chinese yuan|Chinese yuan,CAD Canadian dollar|Canadian dollars,AUD Australian dollar|Australian dollars,' +
  'PLN Polish zloty|Polish zlotys,SEK Swedish krona|Swedish kronor,NOK Norwegian krone|Norwegian kroner,DKK Danish krone|Danish kroner,' +
  'CZK Czech koruna|Czech korunas,BRL Brazilian real|Brazilian reals,MXN Mexican peso|Mexican pesos,KRW South Korean won|South Korean won'

const noDigits = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'
const threeDigits = 'BHD IQD JOD KWD LYD OMR TND'

const after = (list: string, code: string): string | undefined => new RegExp(`(?:^| )${code} (\\S+)`).exec(list)?.[1]

export function currencySymbol(code: string, display: 'symbol' | 'narrowSymbol' | 'code'): string {
  if (display === 'code') return code
  if (code === 'XOF') return 'F\u202fCFA'
  return (display === 'narrowSymbol' ? after(narrow, code) : undefined) ?? after(symbols, code) ?? code
}

/** A currency whose name is not here goes by its code. */
export function currencyName(code: string, isOne: boolean): string {
  const [, one, other] = new RegExp(`(?:^|,)${code} ([^|]+)\\|([^,]+)`).exec(names) ?? []
  return (isOne ? one : other) ?? code
}

export const currencyDigits = (code: string): number => (noDigits.includes(code) ? 0 : threeDigits.includes(code) ? 3 : 2)
