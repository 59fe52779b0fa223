// v4, v5, v7, parse, validate
import { NIL, parse, stringify, v3, v4, v5, v7, validate, version } from 'uuid'

export default async say => {
  say([validate(v4()), version(v4()), version(v7()), new Set([v4(), v4()]).size])
  say([v5('example.org', v5.DNS), v3('example.org', v3.DNS)])
  say([stringify(parse('6ba7b810-9dad-11d1-80b4-00c04fd430c8')), validate('x'), NIL])
}
