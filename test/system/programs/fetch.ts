/** Fetches what dom0 serves: a large page whole and as a stream, a page that is not there, and a port where nobody is. */
import { arg, unikernel } from 'xen-ts'

export default unikernel({
  name: 'fetches',
  args: { base: arg.string({ required: true, doc: 'URL of the server' }) },
  async start({ args: { base }, log }) {
    // As seq 1 300000 writes it.
    let expected = ''
    for (let i = 1; i <= 300_000; i++) expected += `${i}\n`
    const whole = await (await fetch(`${base}/big`)).text()
    log.info(`whole: ${whole.length} bytes, ${whole === expected ? 'right' : 'wrong'}`)

    const response = await fetch(`${base}/big`)
    let at = 0
    let isRight = true
    for await (const piece of response.body!) {
      const text = new TextDecoder().decode(piece)
      isRight &&= text === expected.slice(at, at + text.length)
      at += text.length
    }
    log.info(`stream: ${at} bytes, ${isRight && at === expected.length ? 'right' : 'wrong'}`)

    const cancelled = await fetch(`${base}/big`)
    await cancelled.body!.cancel()
    const pages = await Promise.all(Array.from({ length: 30 }, async () => (await fetch(`${base}/index.html`)).text()))
    log.info(`pages: ${pages.filter(page => page === 'hello\n').length} of ${pages.length}`)
    log.info(`missing: ${(await fetch(`${base}/missing`)).status}`)
    for (const url of ['http://10.137.0.1:9/', 'https://10.137.0.1/']) {
      const error = (await fetch(url).catch(error => error)) as TypeError & { cause: { code: string } }
      log.info(`${error instanceof TypeError ? error.cause.code : 'no error'}: ${error.message}`)
    }
  },
})
