/** Fetches one URL after the other, and says of each what became of it. */
import { arg, unikernel } from 'xen-ts'

export default unikernel({
  name: 'names',
  args: { urls: arg.list({ doc: 'what to fetch' }) },
  async start({ args: { urls }, log }) {
    for (const url of urls) {
      const said = await fetch(url).then(
        async response => `${response.status} ${await response.text()}`.trim(),
        (error: TypeError & { cause: { code: string } }) => `${error.cause.code}: ${error.message}`,
      )
      log.info(`${url} ${said}`)
    }
  },
})
