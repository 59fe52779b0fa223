/** All web APIs on the global object, as in an image whose program names them all. For tests. */
import { handlers } from './error-events.ts'
import { expose } from './expose.ts'
import * as web from './inject.ts'
import { linkAll } from './subtle/all.ts'

expose(globalThis, web)
Object.defineProperties(globalThis, handlers)
linkAll()
