// camelCase, snake_case and others
import { camelCase, capitalCase, constantCase, kebabCase, pascalCase, snakeCase } from 'change-case'

export default async say => {
  say([camelCase, capitalCase, constantCase, kebabCase, pascalCase, snakeCase].map(change => change('fooBar baz_2XMLHttp')))
}
