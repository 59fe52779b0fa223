/** Puts a method on a prototype of the language, in the place of the engine's own. */
export function put(prototype: object, name: string, value: (...args: any[]) => unknown): void {
  Object.defineProperty(value, 'name', { value: name, configurable: true })
  Object.defineProperty(value, 'length', { value: name === 'localeCompare' ? 1 : 0, configurable: true })
  Object.defineProperty(prototype, name, { value, writable: true, configurable: true, enumerable: false })
}
