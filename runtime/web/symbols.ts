/**
 * Symbol.dispose and Symbol.asyncDispose for engines without them: the registered symbols that esbuild's `using` falls back to. Imported
 * first of all, since classes use them as names of methods.
 */
for (const name of ['dispose', 'asyncDispose']) {
  if (!(name in Symbol)) Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) })
}
