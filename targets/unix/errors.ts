/** What the host says about its sockets, in the words of every network stack. */
import { SocketError, type SocketErrorCode } from '@xen-ts/runtime/machine'

const NO_WAY: readonly [SocketErrorCode, string] = ['EHOSTUNREACH', 'is not possible: there is no way to that address, or no network']

/** By the host's code: ours, and the end of the sentence. */
const meanings: Readonly<Record<string, readonly [SocketErrorCode, string]>> = {
  ECONNREFUSED: ['ECONNREFUSED', 'is refused: nobody listens there'],
  ECONNRESET: ['ECONNRESET', 'was reset by the peer'],
  EPIPE: ['ECONNRESET', 'was reset by the peer'],
  ECONNABORTED: ['ECONNABORTED', 'was aborted'],
  ETIMEDOUT: ['ETIMEDOUT', 'is over: the peer does not answer'],
  EHOSTUNREACH: NO_WAY,
  ENETUNREACH: NO_WAY,
  EADDRNOTAVAIL: NO_WAY,
  ENETDOWN: NO_WAY,
  EAFNOSUPPORT: NO_WAY,
  EADDRINUSE: ['EADDRINUSE', 'of this host is in use already: stop the other program, or choose another port'],
  EACCES: ['EACCES', 'is not allowed: broadcasts are for sockets with broadcast: true'],
  EPERM: ['EACCES', 'is not allowed by this host'],
  EMSGSIZE: ['EMSGSIZE', 'is too large for the way there: send smaller ones'],
  ENOBUFS: ['ENOBUFS', 'is not possible: this host has no memory for it'],
  EMFILE: ['ENOBUFS', 'is not possible: this process has too many open files and sockets (ulimit -n)'],
  ENFILE: ['ENOBUFS', 'is not possible: this host has too many open files and sockets'],
}

/** @param subject what the sentence is about, with the address: `connection to 127.0.0.1:80` */
export function hostError(error: NodeJS.ErrnoException, subject: string): SocketError {
  const [code, text] = meanings[error.code ?? ''] ?? ['EIO', `failed: ${error.message}`]
  return new SocketError(code, `${subject} ${text}`)
}

/** Why a port cannot be had. */
export function portError(error: NodeJS.ErrnoException, protocol: string, port: number): SocketError {
  if (error.code !== 'EACCES') return hostError(error, `${protocol} port ${port}`)
  const todo = `use another one, such as --port-map=${port}:${port < 1024 ? port + 8000 : port + 1}, or allow it (sysctl net.ipv4.ip_unprivileged_port_start)`
  return new SocketError('EACCES', `${protocol} port ${port} of this host is for root: ${todo}`)
}

/** Sockets of both families see IPv4 addresses as `::ffff:10.0.0.1` (RFC 4291 section 2.5.5.2). */
export const plainAddress = (address: string): string =>
  address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export const endpoint = (address: string, port: number): string => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`)
