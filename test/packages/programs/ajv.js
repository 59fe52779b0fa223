// JSON Schema to functions, formats and errors
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'

export default async say => {
  const ajv = new Ajv({ allErrors: true })
  addFormats.default ? addFormats.default(ajv) : addFormats(ajv)
  const validate = ajv.compile({
    type: 'object',
    properties: {
      mail: { type: 'string', format: 'email' },
      age: { type: 'integer', minimum: 0 },
      tags: { type: 'array', items: { $ref: '#/definitions/tag' }, uniqueItems: true },
    },
    required: ['mail'],
    additionalProperties: false,
    definitions: { tag: { type: 'string', pattern: '^[a-z]+$' } },
  })
  say(validate({ mail: 'a@example.org', age: 1, tags: ['a', 'b'] }))
  say(validate({ age: -1, tags: ['A', 'A'], more: 1 }))
  say(validate.errors.map(({ instancePath, keyword, message }) => `${instancePath} ${keyword} ${message}`))
}
