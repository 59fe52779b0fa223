// CSV both ways
import Papa from 'papaparse'

export default async say => {
  const { data, meta, errors } = Papa.parse('name,n\n"a, b",1\n"say ""hi""",2.5\n', {
    header: true,
    dynamicTyping: true,
    skipEmptyLines: true,
  })
  say([data, meta.delimiter, errors])
  say(
    Papa.unparse([
      { a: 'x,y', b: null },
      { a: '"', b: 2 },
    ]),
  )
}
