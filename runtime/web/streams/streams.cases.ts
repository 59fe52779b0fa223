import type { Scenarios } from '../testing.ts'

const settle = () => new Promise(resolve => setTimeout(resolve, 0))

/** All chunks that come out of a transform, bytes as arrays. */
async function through(transform: any, chunks: unknown[]): Promise<unknown[]> {
  const writer = transform.writable.getWriter()
  const written = (async () => {
    for (const chunk of chunks) await writer.write(chunk)
    await writer.close()
  })()
  written.catch(() => {})
  const parts: unknown[] = []
  const reader = transform.readable.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return parts
    parts.push(value instanceof Uint8Array ? [...value] : value)
  }
}

export const streamsScenarios: Scenarios = {
  'text from bytes, characters in pieces': async ({ TextDecoderStream }) =>
    through(new TextDecoderStream(), [
      Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0xc3),
      Uint8Array.of(0xa9, 0xf0, 0x9f),
      Uint8Array.of(),
      Uint8Array.of(0x98).buffer,
      new DataView(Uint8Array.of(0x80, 0x62).buffer),
      Uint8Array.of(0xe2),
    ]),
  'bytes that are no text, where that is an error': async ({ TextDecoderStream }) =>
    through(new TextDecoderStream('utf-8', { fatal: true }), [Uint8Array.of(0x61), Uint8Array.of(0xff)]),
  'text that ends in the middle, where that is an error': async ({ TextDecoderStream }) =>
    through(new TextDecoderStream('UTF8', { fatal: true }), [Uint8Array.of(0xc3)]),
  'text in a stream of bytes': async ({ TextDecoderStream }) => through(new TextDecoderStream(), ['a']),
  'what a decoder stream is': ({ TextDecoderStream }) => {
    const stream = new TextDecoderStream('utf8', { ignoreBOM: true })
    return [stream.encoding, stream.fatal, stream.ignoreBOM, stream.writable.locked]
  },
  'a label that is none': ({ TextDecoderStream }) => new TextDecoderStream('nope'),
  'bytes from text, pairs in pieces': async ({ TextEncoderStream }) =>
    through(new TextEncoderStream(), ['a\ud83d', '\ude00', '', '\ud83d', 'x', 5, null, '\udc00', '\ud83d']),
  'what an encoder stream is': ({ TextEncoderStream }) => new TextEncoderStream().encoding,
  'chunks, then the end': async ({ ReadableStream }) => {
    const reader = new ReadableStream({
      start(c: any) {
        c.enqueue(1)
        c.enqueue(2)
        c.close()
      },
    }).getReader()
    return [await reader.read(), await reader.read(), await reader.read(), await reader.closed]
  },
  'pull is called as far as the high water mark, and for reads': async ({ ReadableStream }) => {
    const log: string[] = []
    let n = 0
    const stream = new ReadableStream(
      {
        pull(c: any) {
          log.push(`pull ${c.desiredSize}`)
          c.enqueue(n++)
        },
      },
      { highWaterMark: 2 },
    )
    await settle()
    const reader = stream.getReader()
    log.push(`read ${(await reader.read()).value}`)
    await settle()
    return log
  },
  'an asynchronous pull is not called again while it runs': async ({ ReadableStream }) => {
    let running = 0
    let most = 0
    let n = 0
    const stream = new ReadableStream({
      async pull(c: any) {
        most = Math.max(most, ++running)
        await settle()
        running--
        if (n === 5) c.close()
        else c.enqueue(n++)
      },
    })
    const all = []
    for await (const chunk of stream) all.push(chunk)
    return [all, most]
  },
  'an error rejects reads and closed': async ({ ReadableStream }) => {
    const reader = new ReadableStream({
      start(c: any) {
        c.enqueue(1)
        c.error(new RangeError('x'))
      },
    }).getReader()
    const results = await Promise.allSettled([reader.read(), reader.closed])
    return results.map((result: any) => result.reason?.name)
  },
  'a pull that throws is an error': ({ ReadableStream }) =>
    new ReadableStream({
      pull() {
        throw new RangeError('x')
      },
    })
      .getReader()
      .read(),
  'a locked stream has no second reader': ({ ReadableStream }) => {
    const stream = new ReadableStream()
    stream.getReader()
    return stream.getReader()
  },
  'releasing rejects a pending read and unlocks': async ({ ReadableStream }) => {
    const stream = new ReadableStream()
    const reader = stream.getReader()
    const read = reader.read().catch((error: Error) => error.name)
    reader.releaseLock()
    return [
      await read,
      stream.locked,
      await reader.read().catch((error: Error) => error.name),
      await reader.closed.catch((error: Error) => error.name),
    ]
  },
  'cancel reaches the source with its reason': async ({ ReadableStream }) => {
    const log: unknown[] = []
    const stream = new ReadableStream({
      start(c: any) {
        c.enqueue(1)
      },
      cancel(reason: unknown) {
        log.push(reason)
      },
    })
    await stream.cancel('why')
    return [log, await stream.getReader().read()]
  },
  'leaving a loop cancels': async ({ ReadableStream }) => {
    const log: unknown[] = []
    const stream = new ReadableStream({
      pull(c: any) {
        c.enqueue(1)
      },
      cancel() {
        log.push('cancelled')
      },
    })
    for await (const chunk of stream) {
      log.push(chunk)
      break
    }
    return [log, stream.locked]
  },
  'enqueue after close': ({ ReadableStream }) =>
    new ReadableStream({
      start(c: any) {
        c.close()
        c.enqueue(1)
      },
    }),
  'both ends of a tee get everything': async ({ ReadableStream }) => {
    const read = async (stream: any) => {
      const all = []
      for await (const chunk of stream) all.push(chunk)
      return all
    }
    const [a, b] = new ReadableStream({
      start(c: any) {
        for (const n of [1, 2, 3]) c.enqueue(n)
        c.close()
      },
    }).tee()
    return [await read(a), await read(b)]
  },
  'a tee cancels when both ends did': async ({ ReadableStream }) => {
    const log: unknown[] = []
    const [a, b] = new ReadableStream({
      cancel(reason: unknown) {
        log.push(reason)
      },
    }).tee()
    const first = a.cancel(1)
    await settle()
    log.push('one')
    await Promise.all([first, b.cancel(2)])
    return log
  },
  'ReadableStream.from': async ({ ReadableStream }) => {
    const all = []
    for await (const chunk of ReadableStream.from(
      (async function* () {
        yield 1
        yield 2
      })(),
    ))
      all.push(chunk)
    return all
  },
  'a size function counts': ({ ReadableStream }) => {
    const sizes: number[] = []
    new ReadableStream(
      {
        start(c: any) {
          c.enqueue('abc')
          sizes.push(c.desiredSize)
        },
      },
      { highWaterMark: 5, size: (chunk: string) => chunk.length },
    )
    return sizes
  },

  'writes go one after the other': async ({ WritableStream }) => {
    const log: string[] = []
    const writer = new WritableStream({
      async write(chunk: string) {
        log.push(`> ${chunk}`)
        await settle()
        log.push(`< ${chunk}`)
      },
      close() {
        log.push('closed')
      },
    }).getWriter()
    writer.write('a')
    writer.write('b')
    await writer.close()
    return [log, await writer.closed]
  },
  'ready waits for the sink': async ({ WritableStream }) => {
    let release!: () => void
    const writer = new WritableStream({
      write: () =>
        new Promise<void>(resolve => {
          release = resolve
        }),
    }).getWriter()
    await writer.ready
    writer.write('a')
    const log: unknown[] = [writer.desiredSize]
    writer.ready.then(() => log.push('ready'))
    await settle()
    log.push('waiting')
    release()
    await settle()
    return [log, writer.desiredSize]
  },
  'a failing sink fails what follows': async ({ WritableStream }) => {
    const writer = new WritableStream({
      write() {
        throw new RangeError('x')
      },
    }).getWriter()
    const results = await Promise.allSettled([writer.write(1), writer.write(2), writer.closed])
    return results.map((result: any) => result.reason?.name)
  },
  'abort reaches the sink': async ({ WritableStream }) => {
    const log: unknown[] = []
    const stream = new WritableStream({
      abort(reason: unknown) {
        log.push(reason)
      },
    })
    await stream.abort('why')
    return [log, await stream.getWriter().closed.catch((reason: unknown) => reason)]
  },
  'write after close': async ({ WritableStream }) => {
    const writer = new WritableStream().getWriter()
    await writer.close()
    return writer.write(1)
  },

  'pipeTo carries all over and closes': async ({ ReadableStream, WritableStream }) => {
    const log: unknown[] = []
    await ReadableStream.from([1, 2, 3]).pipeTo(
      new WritableStream({
        write(chunk: unknown) {
          log.push(chunk)
        },
        close() {
          log.push('closed')
        },
      }),
    )
    return log
  },
  'pipeTo aborts the destination when the source fails': async ({ ReadableStream, WritableStream }) => {
    const log: unknown[] = []
    const source = new ReadableStream({
      start(c: any) {
        c.error('broken')
      },
    })
    const end = await source
      .pipeTo(
        new WritableStream({
          abort(reason: unknown) {
            log.push(reason)
          },
        }),
      )
      .catch((reason: unknown) => reason)
    return [log, end]
  },
  'pipeTo cancels the source when the destination fails': async ({ ReadableStream, WritableStream }) => {
    const log: unknown[] = []
    const source = new ReadableStream({
      pull(c: any) {
        c.enqueue(1)
      },
      cancel(reason: Error) {
        log.push(reason.message)
      },
    })
    const end = await source
      .pipeTo(
        new WritableStream({
          write() {
            throw new Error('full')
          },
        }),
      )
      .catch((reason: Error) => reason.message)
    return [log, end]
  },
  'pipeTo stops at a signal': async ({ ReadableStream, WritableStream }) => {
    const log: unknown[] = []
    const controller = new AbortController()
    const source = new ReadableStream({
      cancel(reason: unknown) {
        log.push('cancel', reason)
      },
    })
    const done = source
      .pipeTo(
        new WritableStream({
          abort(reason: unknown) {
            log.push('abort', reason)
          },
        }),
        { signal: controller.signal },
      )
      .catch((reason: unknown) => reason)
    await settle()
    controller.abort('stop')
    const end = await done
    return [log.map(String).sort(), end]
  },
  'a transform transforms and flushes': async ({ ReadableStream, TransformStream }) => {
    const all = []
    const double = new TransformStream({
      transform(chunk: number, c: any) {
        c.enqueue(chunk)
        c.enqueue(chunk * 2)
      },
      flush(c: any) {
        c.enqueue('end')
      },
    })
    for await (const chunk of ReadableStream.from([1, 2]).pipeThrough(double)) all.push(chunk)
    return all
  },
  'a transform that drops chunks goes on': async ({ ReadableStream, TransformStream }) => {
    const all = []
    const odd = new TransformStream({
      transform(chunk: number, c: any) {
        if (chunk % 2 === 1) c.enqueue(chunk)
      },
    })
    const late = new Promise(resolve => setTimeout(resolve, 1000, 'nothing comes any more'))
    const reader = ReadableStream.from([1, 2, 4, 6, 7, 8]).pipeThrough(odd).getReader()
    for (;;) {
      const result: any = await Promise.race([reader.read(), late])
      if (result.done !== false) return [all, result]
      all.push(result.value)
    }
  },
  'a transform that is fed takes a chunk when the last one has been read, and one ahead': async ({ TransformStream }) => {
    const log: string[] = []
    const { readable, writable } = new TransformStream({
      transform(chunk: number, c: any) {
        log.push(`transform ${chunk}`)
        c.enqueue(chunk)
        c.enqueue(-chunk)
      },
    })
    const writer = writable.getWriter()
    for (const chunk of [1, 2, 3]) void writer.write(chunk).then(() => log.push(`written ${chunk}`))
    const reader = readable.getReader()
    for (let i = 0; i < 5; i++) {
      await settle()
      log.push(`read ${(await reader.read()).value}`)
    }
    await settle()
    return log
  },
  'a chunk that waits is not transformed any more after cancel, error or terminate': async ({ TransformStream }) => {
    const log: string[] = []
    for (const how of ['cancel', 'error', 'terminate']) {
      let controller: any
      const { readable, writable } = new TransformStream({
        start(c: any) {
          controller = c
        },
        transform(chunk: any) {
          log.push(`${how}: transform ${chunk}`)
        },
      })
      const writer = writable.getWriter()
      const note = (what: string, promise: Promise<unknown>) =>
        promise.then(
          () => {
            log.push(`${how}: ${what}`)
          },
          (reason: any) => {
            log.push(`${how}: ${what} fails: ${reason?.name ?? reason}`)
          },
        )
      const written = note('write', writer.write('waits'))
      void note('closed', writer.closed)
      await settle()
      if (how === 'cancel') await note('cancel', readable.cancel('enough'))
      else controller[how]('enough')
      await written
      await settle()
    }
    return log.sort()
  },
  'a transform that gives chunks at any time': async ({ TransformStream }) => {
    let controller: any
    const { readable, writable } = new TransformStream({
      start(c: any) {
        controller = c
      },
    })
    const written = writable.getWriter().write('in')
    const reader = readable.getReader()
    controller.enqueue('out')
    const results = [await reader.read(), await reader.read()]
    await written
    return results
  },
  'a transform without functions passes on': async ({ TransformStream }) => {
    const { readable, writable } = new TransformStream()
    const writer = writable.getWriter()
    const write = writer.write('x').then(() => writer.close())
    const reader = readable.getReader()
    const results = [await reader.read(), await reader.read()]
    await write
    return results
  },
  'a transform that throws fails both sides': async ({ TransformStream }) => {
    const { readable, writable } = new TransformStream({
      transform() {
        throw new RangeError('x')
      },
    })
    const writer = writable.getWriter()
    const results = await Promise.allSettled([writer.write(1), readable.getReader().read(), writer.closed])
    return results.map((result: any) => result.reason?.name)
  },
  'a transform that is cancelled fails the writer': async ({ TransformStream }) => {
    const { readable, writable } = new TransformStream()
    const writer = writable.getWriter()
    await readable.cancel('enough')
    return writer.write(1).then(
      () => 'written',
      (reason: unknown) => reason,
    )
  },
  'a write that nobody awaits, then an abort': async ({ WritableStream }) => {
    const stream = new WritableStream({ write: () => settle() })
    const writer = stream.getWriter()
    const written = writer.write('a').then(
      () => 'written',
      (reason: unknown) => `rejected: ${reason}`,
    )
    await writer.abort('enough')
    return [await written, await writer.closed.catch((reason: unknown) => reason)]
  },
  'pipeTo from a source that fails while the destination has no room': async ({ ReadableStream, WritableStream }) => {
    let source: any
    const readable = new ReadableStream({
      start(controller: any) {
        source = controller
      },
    })
    const log: unknown[] = []
    const piped = readable
      .pipeTo(new WritableStream({ abort: (reason: unknown) => log.push(`abort ${reason}`) }, { highWaterMark: 0 }))
      .catch((reason: unknown) => log.push(`pipe ${reason}`))
    await settle()
    source.error('broken')
    await piped
    return log
  },
  'an aborted pipeTo writes what it has read': async ({ ReadableStream, WritableStream }) => {
    const written: unknown[] = []
    const controller = new AbortController()
    const readable = new ReadableStream({ start: (c: any) => [1, 2, 3].forEach(chunk => c.enqueue(chunk)) })
    const writable = new WritableStream(
      {
        async write(chunk: unknown) {
          await settle()
          written.push(chunk)
        },
      },
      { highWaterMark: 4 },
    )
    const piped = readable.pipeTo(writable, { signal: controller.signal })
    for (let i = 0; i < 20; i++) await null
    controller.abort('enough')
    const failed = await piped.catch((reason: unknown) => reason)
    return [failed, written]
  },
  'the branches of a tee close, fail and pull as one': async ({ ReadableStream }) => {
    const log: unknown[] = []
    for (const how of ['close', 'error']) {
      let pulls = 0
      let controller: any
      const branches = new ReadableStream({
        start(c: any) {
          controller = c
        },
        pull() {
          pulls++
        },
      }).tee()
      await settle()
      const readers = branches.map((branch: any) => branch.getReader())
      controller[how]('broken')
      for (const reader of readers) log.push(await reader.closed.catch((reason: unknown) => reason))
      log.push(pulls)
    }
    return log
  },
  'a source of bytes is read into a buffer of the reader': async ({ ReadableStream }) => {
    const asked: unknown[] = []
    const stream = new ReadableStream({
      type: 'bytes',
      pull(controller: any) {
        const { byobRequest } = controller
        asked.push(byobRequest?.view.byteLength ?? null)
        if (byobRequest === null) return controller.enqueue(Uint8Array.of(7, 8))
        byobRequest.view[0] = 9
        byobRequest.respond(1)
      },
    })
    const byob = stream.getReader({ mode: 'byob' })
    const { value } = await byob.read(new Uint8Array(5))
    byob.releaseLock()
    const other = stream.getReader()
    return [[...value], [...(await other.read()).value], asked]
  },
  'what is wrong is refused at once': async ({ ReadableStream, WritableStream, TransformStream }) => {
    const wrong: (() => unknown)[] = [
      () => new ReadableStream({ type: 'text' }),
      () => new ReadableStream({ pull: 5 }),
      () => new WritableStream({ write: {} }),
      () => new WritableStream({ type: 'bytes' }),
      () => new TransformStream({ readableType: 'bytes' }),
      () => new ReadableStream({}, { highWaterMark: -1 }),
      () => new ReadableStream().pipeThrough({}),
      () => new ReadableStream().getReader({ mode: 'x' }),
      () => ReadableStream.from(5),
    ]
    return wrong.map(make => {
      try {
        make()
        return 'taken'
      } catch (error: any) {
        return error.name
      }
    })
  },
  'a reader that leaves tells the writer why': async ({ TransformStream }) => {
    const { readable, writable } = new TransformStream()
    const writer = writable.getWriter()
    const written = writer.write(1)
    const reader = readable.getReader()
    await reader.read()
    await written
    const waiting = writer.write(2)
    await reader.cancel(new RangeError('the client is gone'))
    return (await Promise.allSettled([waiting, writer.write(3), writer.closed])).map(
      (result: any) => result.reason?.message ?? result.status,
    )
  },
}
