/** How calls fail. */

export class QrexecError extends Error {
  override name = 'QrexecError'
}

/** Policy said no, or the user did, or there is no such qube: dom0 does not tell which. */
export class QrexecRefusedError extends QrexecError {
  override name = 'QrexecRefusedError'
}
