// scales, shapes, times, formats: an SVG path without a page
import { csvParse, extent, format, group, line, scaleLinear, scaleTime, timeFormat, utcDay } from 'd3'

export default async say => {
  const rows = csvParse('x,y\n1,2\n3,5\n')
  const x = scaleLinear(
    extent(rows, row => Number(row.x)),
    [0, 100],
  ).nice()
  say([
    line(
      row => x(Number(row.x)),
      row => Number(row.y),
    )(rows),
    x.ticks(4),
    format(',.2f')(1234.5),
    format('.1%')(0.256),
  ])
  say([[...group(rows, row => row.x).keys()], utcDay.floor(new Date(1e12)).toISOString(), timeFormat('%Y-%m-%d %B')(new Date(0))])
  say(scaleTime([new Date(0), new Date(864e5)], [0, 1])(new Date(432e5)))
}
