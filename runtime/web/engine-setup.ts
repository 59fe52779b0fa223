/** For tests of the web platform in the guest's engine: the globals that programs have there. */
import './engine-globals.ts'
import './all.ts'
import './symbols.ts'
