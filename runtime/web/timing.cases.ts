import type { Scenarios, Web } from './testing.ts'

const attempt = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error: any) {
    return error.name
  }
}

export const timingScenarios: Scenarios = {
  'marks and measures between them': ({ performance }: Web) => {
    performance.clearMarks()
    performance.clearMeasures()
    const mark = performance.mark('a', { startTime: 10, detail: { x: 1 } })
    performance.mark('b', { startTime: 30 })
    performance.mark('a', { startTime: 20 })
    const shown = (entry: any) => [entry.name, entry.entryType, entry.startTime, entry.duration, entry.detail]
    const measures = [
      performance.measure('m', 'a', 'b'),
      performance.measure('n', { start: 'a', duration: 5, detail: 'd' }),
      performance.measure('o', { end: 'b', duration: 5 }),
      performance.measure('p', { start: 1, end: 4 }),
      performance.measure('q', { start: 'b', end: 'a' }),
      performance.measure('r', undefined, 'b'),
    ]
    const result = [
      shown(mark),
      mark.toJSON(),
      measures.map(shown),
      performance.getEntriesByType('mark').map(shown),
      performance.getEntriesByName('a', 'mark').length,
      performance.getEntriesByName('a', 'measure').length,
      performance.getEntriesByName('m').length,
      performance.getEntriesByType('other').length,
    ]
    performance.clearMarks('a')
    const left = performance.getEntriesByType('mark').map(shown)
    performance.clearMarks()
    performance.clearMeasures('m')
    const measured = performance.getEntriesByType('measure').length
    performance.clearMeasures()
    return [...result, left, measured, performance.getEntriesByType('measure').length]
  },
  'marks that cannot be': ({ performance, PerformanceMark, PerformanceEntry }: Web) => {
    performance.clearMarks()
    return [
      attempt(() => performance.mark()),
      attempt(() => performance.mark('x', { startTime: -1 })),
      attempt(() => performance.mark('x', { detail: () => {} })),
      attempt(() => performance.measure('m', 'no such mark')),
      attempt(() => performance.measure('m', { start: 1, end: 2, duration: 3 })),
      attempt(() => performance.measure('m', { start: 1 }, 'end')),
      attempt(() => new PerformanceEntry()),
      attempt(() => new PerformanceMark()),
      new PerformanceMark('own', { startTime: 3 }).startTime,
      performance.getEntriesByName('own').length,
    ]
  },
  'a mark has the time of its making, and a copy of its detail': ({ performance }: Web) => {
    const before = performance.now()
    const detail = { a: 1 }
    const mark = performance.mark('now', { detail })
    detail.a = 2
    performance.clearMarks()
    return [mark.startTime >= before, mark.startTime <= performance.now(), mark.detail.a, mark.duration]
  },
}
