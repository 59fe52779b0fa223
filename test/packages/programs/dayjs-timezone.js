// the plugin timezone, which asks Intl
import dayjs from 'dayjs'
import timezone from 'dayjs/plugin/timezone.js'
import utc from 'dayjs/plugin/utc.js'

export default async say => {
  dayjs.extend(utc)
  dayjs.extend(timezone)
  say(dayjs.utc('2026-07-01T12:00:00Z').tz('America/New_York').format())
  say(dayjs.tz('2026-01-01 00:00', 'Asia/Tokyo').toISOString())
}
