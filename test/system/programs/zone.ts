// Says the time zone of Intl, and a time in it.
import { unikernel } from 'xen-ts'

export default unikernel({
  name: 'zone',
  async start({ log }) {
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
    log.info(`zone ${timeZone}: ${new Date(Date.UTC(2026, 6, 1, 12)).toLocaleString('en-US', { dateStyle: 'medium', timeStyle: 'long' })}`)
  },
})
