/**
 * Fetches a page and says what it got, as often as it is told to:
 *
 *     npx xen-ts build examples/fetch
 *     npx xen-ts run fetch.xen -- url=http://10.137.0.1/ times=3
 */
import { arg, unikernel } from 'xen-ts'

export default unikernel({
  name: 'fetch',
  args: {
    url: arg.string({ required: true, doc: 'what is fetched: http://HOST[:PORT]/PATH' }),
    times: arg.number({ default: 1, min: 1, integer: true, doc: 'how often' }),
  },
  async start({ args, log, clock, signal }) {
    const start = clock.now()
    let bytes = 0
    for (let i = 0; i < args.times; i++) {
      const response = await fetch(args.url, { signal })
      const body = await response.bytes()
      bytes += body.length
      if (i === 0)
        log.info(
          `${response.url}: ${response.status} ${response.statusText}, ${response.headers.get('content-type')}, ${body.length} bytes`,
        )
    }
    const milliseconds = clock.now() - start
    log.info(`${args.times} times, ${bytes} bytes in ${milliseconds.toFixed(0)} ms`)
  },
})
