/**
 * The linear stack of the guest: the 5 MiB between static data and heap that the package has for it, from their top down. What
 * was never touched needs no memory: not in an image, where it is zero, nor in the guest, which has pages on demand.
 */

/**
 * What JavaScript may use of it before an exception, bytes: 11,900 plain calls, about as many as in Node. The kernel allows less
 * when the native stack or memory is at its end before (boot/kernel/linear.c).
 */
export const guestStackBytes = 2 << 20
/** The same while a snapshot is made, 1,480 plain calls: what is below is scratch memory then, and the more the denser the heap. */
export const buildStackBytes = 256 << 10
/** What the engine's C functions may need beyond the last check of that limit. Also LINEAR_MARGIN in boot/kernel/linear.c. */
export const stackMargin = 64 << 10
