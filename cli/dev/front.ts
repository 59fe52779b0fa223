/**
 * Stands before the program: its port stays open while the program is not there, requests wait for the next one, and pages are told to
 * load themselves anew. The program knows nothing of it.
 */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { CLIENT, EVENTS, isNavigation, SCRIPT, TAG, takesTag, waitingPage } from './page.ts'

/** Where the search begins when no port is asked for, and how many are tried. */
const FIRST = 8080
const TRIES = 100
/** How long (ms) a request waits for a program that runs and does not listen yet, and the pause between two attempts to reach it. */
const PATIENCE = 30_000
const PAUSE = 20

/** A port of localhost; undefined: there is no program that can be reached, and none is on its way. */
export type Reach = { readonly port: number } | 'soon' | undefined

export class Front {
  readonly #server: Server
  readonly #tags: boolean
  readonly #pages = new Set<ServerResponse>()
  /** Connections to the program. */
  readonly #inner = new Set<Socket>()
  #reach: Reach = 'soon'
  #why = ''
  #changed = Promise.withResolvers<void>()

  /** @param tags whether pages are to be told of the next program */
  constructor(tags: boolean) {
    this.#tags = tags
    this.#server = createServer((req, res) => void this.#answer(req, res))
    this.#server.on('upgrade', (req, socket, head) => void this.#upgrade(req, socket, head))
    this.#server.on('clientError', (_, socket) => socket.destroy())
  }

  /**
   * Takes a port of localhost: this one, or undefined for the first from 8080 on that is free; 0 is any.
   * @throws CliError when it cannot be had
   */
  async listen(asked: number | undefined): Promise<number> {
    if (asked !== undefined) {
      if (!(await this.#listen(asked))) await (await import('../run/port.ts')).checkPort(asked)
    } else {
      let port = FIRST
      while (!(await this.#listen(port < FIRST + TRIES ? port : 0))) port++
    }
    return (this.#server.address() as AddressInfo).port
  }

  #listen(port: number): Promise<boolean> {
    return new Promise(resolve => {
      const failed = (): void => resolve(false)
      this.#server.once('error', failed)
      this.#server.listen(port, '127.0.0.1', () => {
        this.#server.off('error', failed)
        resolve(true)
      })
    })
  }

  /** Where the program is now. @param why it is not there, for people */
  lead(reach: Reach, why = ''): void {
    this.#reach = reach
    this.#why = why
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  /** Tells the pages that are open. */
  reload(): void {
    for (const page of this.#pages) page.write('event: reload\ndata:\n\n')
  }

  /** Ends what is open to a program that is no more: the end of a domain closes nothing here. */
  cut(): void {
    for (const socket of this.#inner) socket.destroy()
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /** @param again whether a request that can be asked twice is, should the program end before it has answered */
  async #answer(req: IncomingMessage, res: ServerResponse, again = isIdempotent(req)): Promise<void> {
    if (req.url === EVENTS) return this.#events(res)
    if (req.url === SCRIPT) return void res.writeHead(200, { 'content-type': 'text/javascript', 'cache-control': 'no-cache' }).end(CLIENT)
    const socket = await this.#connect()
    if (socket === undefined) return this.#absent(req, res)
    const navigates = this.#tags && isNavigation(req)
    const headers = withoutHop(req.rawHeaders)
    // The page must come as text, for the tag to be put into it.
    const inner = request({
      createConnection: () => socket,
      method: req.method,
      path: req.url,
      headers: [...(navigates ? without(headers, ['accept-encoding']) : headers), 'connection', 'close'],
      setHost: false,
    })
    inner.on('information', ({ statusCode, rawHeaders }) => {
      if (statusCode === 103) res.writeEarlyHints(pairs(rawHeaders))
    })
    inner.on('response', answer => {
      const tagged = navigates && takesTag(answer)
      const kept = withoutHop(answer.rawHeaders)
      res.writeHead(answer.statusCode!, answer.statusMessage, tagged ? without(kept, ['content-length']) : kept)
      answer.on('data', chunk => {
        if (!res.write(chunk)) answer.pause()
      })
      res.on('drain', () => answer.resume())
      answer.on('end', () => res.end(tagged ? TAG : undefined))
      answer.on('error', () => res.destroy())
    })
    inner.on('error', error => {
      if (res.headersSent || res.destroyed) res.destroy()
      else if (again) void this.#answer(req, res, false)
      else this.#absent(req, res, `the program closed the connection without an answer: ${error.message}`)
    })
    res.on('close', () => inner.destroy())
    if (hasBody(req)) req.pipe(inner)
    else inner.end()
  }

  #events(res: ServerResponse): void {
    res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }).write(':\n\n')
    this.#pages.add(res)
    res.on('close', () => this.#pages.delete(res))
  }

  #absent(req: IncomingMessage, res: ServerResponse, why = this.#why): void {
    if (!isNavigation(req)) return void res.writeHead(503, { 'content-type': 'text/plain; charset=utf-8' }).end(`${why}\n`)
    res.writeHead(503, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(waitingPage(why))
  }

  /** As it came, and then bytes in both directions: WebSockets. */
  async #upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => {})
    const inner = await this.#connect()
    if (inner === undefined) return void socket.end('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
    const fields = lines(req.rawHeaders)
    inner.on('error', () => {})
    inner.write(`${req.method} ${req.url} HTTP/1.1\r\n${fields}\r\n`, 'latin1')
    inner.write(head)
    socket.pipe(inner).pipe(socket)
    socket.on('close', () => inner.destroy())
    inner.on('close', () => socket.destroy())
  }

  /** A connection to the program; undefined when there is none. */
  async #connect(): Promise<Socket | undefined> {
    let tries = PATIENCE / PAUSE
    while (tries > 0) {
      const [reach, changed] = [this.#reach, this.#changed.promise]
      if (reach === undefined) return undefined
      if (reach === 'soon') {
        await changed
        tries = PATIENCE / PAUSE
        continue
      }
      const socket = await open(reach.port)
      if (socket !== undefined) {
        this.#inner.add(socket)
        socket.on('close', () => this.#inner.delete(socket))
        return socket
      }
      tries--
      await Promise.race([changed, pause(PAUSE)])
    }
    this.#why ||= `nothing has listened for ${PATIENCE / 1000} s: does the program serve?`
    return undefined
  }
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** RFC 9110 section 9.2.2; without a body, which would have to be kept. */
const isIdempotent = (req: IncomingMessage): boolean => /^(GET|HEAD|OPTIONS)$/.test(req.method ?? '') && !hasBody(req)

const pause = (ms: number): Promise<void> => new Promise(resolve => void setTimeout(resolve, ms).unref())

function open(port: number): Promise<Socket | undefined> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const failed = (): void => resolve(undefined)
    socket.once('error', failed)
    socket.once('connect', () => {
      socket.off('error', failed)
      resolve(socket)
    })
  })
}

/** Of fields as Node gives them, names and values in turn, those of other names. */
function without(fields: readonly string[], names: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i < fields.length; i += 2) if (!names.includes(fields[i].toLowerCase())) kept.push(fields[i], fields[i + 1])
  return kept
}

/** Those that are between two neighbours only (RFC 9110 section 7.6.1); the framing of the body is kept, and done anew. */
const withoutHop = (fields: readonly string[]): string[] => without(fields, ['connection', 'keep-alive', 'proxy-connection'])

const lines = (fields: readonly string[]): string => fields.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('')

const pairs = (fields: readonly string[]): Record<string, string[]> => {
  const found: Record<string, string[]> = {}
  for (let i = 0; i < fields.length; i += 2) (found[fields[i].toLowerCase()] ??= []).push(fields[i + 1])
  return found
}
