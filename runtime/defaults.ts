/** Defaults of arguments that the build was given: a module of the image fills this before boot() is called. */
export const builtDefaults: string[] = []
