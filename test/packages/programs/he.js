// entities
import * as he from 'he'

export default async say => {
  say([
    he.encode('a < ä & "b" 😀'),
    he.encode('ä', { useNamedReferences: true }),
    he.decode('&lt;&auml;&#x1F600;&notit;'),
    he.escape('<a>'),
  ])
}
