// dates, zones, durations, intervals, formats
import { DateTime, Duration, Interval } from 'luxon'

export default async say => {
  const time = DateTime.fromISO('2026-03-28T12:00:00Z', { zone: 'utc' })
  say([time.toISO(), time.plus({ days: 1, hours: 3 }).toISODate(), time.weekNumber, time.toFormat('yyyy LLL dd, HH:mm'), time.toHTTP()])
  say(time.setZone('Europe/Berlin').plus({ days: 1 }).toISO())
  say(time.toLocaleString(DateTime.DATE_FULL))
  say([
    Duration.fromObject({ hours: 30, minutes: 5 }).shiftTo('days', 'hours', 'minutes').toObject(),
    Duration.fromISO('PT1H30M').as('minutes'),
  ])
  say(Interval.fromDateTimes(time, time.plus({ days: 2 })).splitBy({ days: 1 }).length)
  say(DateTime.fromFormat('04/03/2026', 'dd/MM/yyyy', { zone: 'utc' }).toISODate())
}
