/**
 * The key of the method that `using` calls. The guest's engine has no Symbol.dispose of its own; esbuild's lowering of `using`
 * looks for the registered symbol then, so that is what we fall back to.
 */
export const dispose: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for('Symbol.dispose') as typeof Symbol.dispose)
