/** Intl as Node has it, case by case; and the zones of the database at every change of theirs. */
import test from 'ava'
import { asInNode } from '../web/testing.ts'
import { Intl as own } from './index.ts'
import { intlScenarios } from './intl.cases.ts'
import { zoneOf } from './zone.ts'

asInNode(test, intlScenarios, { Intl: own })

test('zones have the offsets that Node knows, at any time since 2000', t => {
  const names = [
    'Europe/Berlin',
    'Europe/London',
    'Europe/Dublin',
    'Europe/Moscow',
    'Europe/Istanbul',
    'America/New_York',
    'America/Sao_Paulo',
    'America/Santiago',
  ]
  for (const timeZone of [
    ...names,
    'America/Godthab',
    'Africa/Cairo',
    'Asia/Kathmandu',
    'Asia/Tehran',
    'Australia/Lord_Howe',
    'Pacific/Apia',
    'US/Pacific',
  ]) {
    const node = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
    for (let time = Date.UTC(2000, 0, 2); time < Date.UTC(2026, 0); time += 86_400_000 * 5.7) {
      const [, sign, hours, minutes] = /GMT(?:([+-])(\d+):(\d+))?/.exec(node.format(time))!
      const offset = sign === undefined ? 0 : (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
      if (zoneOf(timeZone)!.offset(time) !== offset)
        t.fail(`${timeZone} at ${new Date(time).toISOString()}: ${zoneOf(timeZone)!.offset(time)}, not ${offset}`)
    }
  }
  t.is(zoneOf('Mars/Crater'), undefined)
})

test('what is not there says what there is', t => {
  t.throws(() => new own.NumberFormat('en', { style: 'unit', unit: 'acre' }), {
    message: /unit "acre" is not there in xen-ts, which has bit, byte/,
  })
  t.throws(() => new own.DateTimeFormat('en', { dayPeriod: 'short' }), { message: /dayPeriod is not there in xen-ts: leave it out/ })
  t.throws(() => new own.DateTimeFormat('en', { calendar: 'hebrew' }), {
    message: /calendar "hebrew" is not there in xen-ts, which has gregory/,
  })
  t.is(new own.NumberFormat('de-DE').resolvedOptions().locale, 'en-US')
})
