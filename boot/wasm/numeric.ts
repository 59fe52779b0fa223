/** The text of a module with a function for each numeric operation, and for each load and store, called "OPERATION TYPES". */

const letters: Record<string, string> = { i32: 'i', i64: 'j', f32: 'f', f64: 'd' }
const each = (types: string, operations: string, params: (type: string) => string[], result: (type: string) => string) =>
  types.split(' ').flatMap(type => operations.split(' ').map(operation => fn(`${type}.${operation}`, params(type), result(type))))

function fn(operation: string, params: readonly string[], result: string): string {
  const name = `${operation} ${params.map(type => letters[type]).join('')}`
  const locals = params.map((_, i) => `(local.get ${i})`).join(' ')
  return `(func (export "${name}") (param ${params.join(' ')}) (result ${result}) (${operation} ${locals}))`
}

const conversions = [
  ['i32', 'wrap_i64', 'i64'],
  ...['i32', 'i64'].flatMap(to =>
    ['f32', 'f64'].flatMap(from => ['trunc', 'trunc_sat'].flatMap(kind => ['s', 'u'].map(sign => [to, `${kind}_${from}_${sign}`, from]))),
  ),
  ...['f32', 'f64'].flatMap(to => ['i32', 'i64'].flatMap(from => ['s', 'u'].map(sign => [to, `convert_${from}_${sign}`, from]))),
  ['i64', 'extend_i32_s', 'i32'],
  ['i64', 'extend_i32_u', 'i32'],
  ['f32', 'demote_f64', 'f64'],
  ['f64', 'promote_f32', 'f32'],
  ['f32', 'reinterpret_i32', 'i32'],
  ['f64', 'reinterpret_i64', 'i64'],
]

/** Stores the second argument where the first says, within the first KiB, and loads it in another way. */
const memory = [
  ...['load8_s', 'load8_u', 'load16_s', 'load16_u', 'load'].map(load => ['i32', 'i32.store', `i32.${load}`]),
  ...['load8_s', 'load8_u', 'load16_s', 'load16_u', 'load32_s', 'load32_u', 'load'].map(load => ['i64', 'i64.store', `i64.${load}`]),
  ...['store8', 'store16'].map(store => ['i32', `i32.${store}`, 'i32.load']),
  ...['store8', 'store16', 'store32'].map(store => ['i64', `i64.${store}`, 'i64.load']),
  ['f32', 'f32.store', 'f32.load'],
  ['f64', 'f64.store', 'f64.load'],
].map(
  ([type, store, load]) =>
    `(func (export "${store}-${load} i${letters[type]}") (param i32 ${type}) (result ${type})
      (i64.store (i32.and (local.get 0) (i32.const 1023)) (i64.const 0))
      (${store} (i32.and (local.get 0) (i32.const 1023)) (local.get 1)) (${load} (i32.and (local.get 0) (i32.const 1023))))`,
)

const two = (type: string) => [type, type]
const one = (type: string) => [type]
const own = (type: string) => type
const truth = () => 'i32'

export const numericModule = `(module (memory 1)
${[
  ...each('i32 i64', 'add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr', two, own),
  ...each('i32 i64', 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u', two, truth),
  ...each('i32 i64', 'clz ctz popcnt extend8_s extend16_s', one, own),
  ...each('i64', 'extend32_s', one, own),
  ...each('i32 i64', 'eqz', one, truth),
  ...each('f32 f64', 'add sub mul div min max copysign', two, own),
  ...each('f32 f64', 'abs neg ceil floor trunc nearest sqrt', one, own),
  ...each('f32 f64', 'eq ne lt gt le ge', two, truth),
  ...conversions.map(([to, operation, from]) => fn(`${to}.${operation}`, [from], to)),
  ...memory,
].join('\n')})`
