/** Something the rig cannot do, told in three parts: what happened, where, what to do about it. */
export class RigError extends Error {
  override name = 'RigError'
  readonly what: string
  readonly where: string | undefined
  readonly todo: string | undefined

  constructor(what: string, where?: string, todo?: string, options?: ErrorOptions) {
    super([what, where && indent(where), todo && indent(todo)].filter(Boolean).join('\n'), options)
    this.what = what
    this.where = where
    this.todo = todo
  }
}

function indent(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map(line => `  ${line}`)
    .join('\n')
}
