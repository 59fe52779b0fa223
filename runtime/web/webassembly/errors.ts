/** https://webassembly.github.io/spec/js-api/#error-objects */

export class CompileError extends Error {
  static {
    CompileError.prototype.name = 'CompileError'
  }
}

export class LinkError extends Error {
  static {
    LinkError.prototype.name = 'LinkError'
  }
}

export class RuntimeError extends Error {
  static {
    RuntimeError.prototype.name = 'RuntimeError'
  }
}
