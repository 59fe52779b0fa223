/** Throws a RangeError when there is no such port. @param protocol TCP or UDP */
export function checkPort(protocol: string, port: number): void {
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new RangeError(`${protocol} port ${port} does not exist: use 1 to 65535`)
}
