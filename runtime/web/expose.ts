/** Puts interfaces and functions of the web platform on the global object, as Web IDL says: https://webidl.spec.whatwg.org/#js-interfaces */

const prototypes = new WeakSet<object>()

/** Whether a value is an object of the platform, not a program's own. */
export function isPlatformObject(value: object): boolean {
  for (let each = Object.getPrototypeOf(value); each !== null; each = Object.getPrototypeOf(each)) if (prototypes.has(each)) return true
  return false
}

/** Values by name: classes, functions, objects. */
export function expose(scope: object, globals: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(globals)) {
    if (isClass(value)) shape(name, value)
    Object.defineProperty(scope, name, { value, writable: true, configurable: true, enumerable: false })
  }
}

/** A class, by its `prototype`, which is not to be written: an engine that keeps no sources says `[native code]` of all functions. */
export function isClass(value: unknown): value is abstract new (...args: any[]) => object {
  return typeof value === 'function' && Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false
}

/** In a bundle a class may have got another name; members of classes are not enumerable, those of interfaces are. */
function shape(name: string, Class: abstract new (...args: any[]) => object): void {
  prototypes.add(Class.prototype)
  Object.defineProperty(Class, 'name', { value: name, configurable: true })
  for (const holder of [Class, Class.prototype]) {
    for (const key of Object.getOwnPropertyNames(holder)) {
      const property = Object.getOwnPropertyDescriptor(holder, key) as PropertyDescriptor
      const isMember = property.get !== undefined || (typeof property.value === 'function' && key !== 'constructor')
      if (isMember && property.configurable && !property.enumerable) Object.defineProperty(holder, key, { enumerable: true })
    }
  }
  const tag = Object.getOwnPropertyDescriptor(Class.prototype, Symbol.toStringTag)
  if (tag === undefined) Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: name, configurable: true })
}
