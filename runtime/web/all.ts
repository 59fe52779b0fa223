/** All web APIs on the global object, as in an image whose program names them all. For tests. */
import { addConsole } from './console.ts'
import { addTables } from './console-table.ts'
import { addOthers } from './encodings/others.ts'
import { addSingleBytes } from './encodings/single-byte.ts'
import * as tables from './encodings/tables.ts'
import { addUtf16 } from './encodings/utf16.ts'
import { addGlobalHandlers } from './error-events.ts'
import { expose } from './expose.ts'
import * as web from './inject.ts'
import { addNavigator } from './navigator.ts'
import { linkAll } from './subtle/all.ts'
import { addTiming } from './timing.ts'

expose(globalThis, web)
addGlobalHandlers()
addConsole()
addNavigator()
addTables()
addTiming()
addUtf16()
addOthers()
addSingleBytes(...Object.values(tables))
linkAll()
