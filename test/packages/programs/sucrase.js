// TypeScript and JSX to JavaScript
import { transform } from 'sucrase'

export default async say => {
  say(transform('const a: number = <b c="d">{e}</b>; interface X {}', { transforms: ['typescript', 'jsx'], production: true }).code)
}
