/** Descriptions of what a program may ask of a qube. They exist on target qubes only. */
import { type Device, provided } from '@xen-ts/runtime/device'
import type { Gui } from './gui/agent.ts'
import type { Qrexec } from './qrexec/agent.ts'
import type { QubesDB } from './qubesdb/client.ts'

/** Services for other qubes, and calls to theirs. */
export const qrexec = (): Device<Pick<Qrexec, 'service' | 'call' | 'connected'>> => provided('qrexec')

/** The settings dom0 gives to this qube; all keys are there when `start` is called. */
export const qubesdb = (): Device<Omit<QubesDB, 'run' | 'close' | 'synced'>> => provided('qubesdb')

/** The screen of the GUI domain: windows on it, its size, the clipboard. */
export const screen = (): Device<Pick<Gui, 'screen' | 'window' | 'copy'>> => provided('screen')
