/* What a domain is doing, asked from the hypervisor. */
#ifndef DOMAIN_STATE_H
#define DOMAIN_STATE_H

#include <errno.h>
#include <xenctrl.h>

#define DOMAIN_ALIVE (-1)
#define DOMAIN_GONE (-2)

/* DOMAIN_ALIVE, DOMAIN_GONE (destroyed, or never was), or the SHUTDOWN_* reason that it gave (xen/include/public/sched.h). */
static inline int domain_state(xc_interface *xc, uint32_t domid)
{
	xc_dominfo_t info;
	int found = xc_domain_getinfo(xc, domid, 1, &info);

	/* Only dom0 may ask; a guest that runs these programs relies on what its peer says. */
	if (found < 0 && errno != ESRCH)
		return DOMAIN_ALIVE;
	if (found != 1 || info.domid != domid || info.dying)
		return DOMAIN_GONE;
	return info.shutdown || info.crashed ? (int)info.shutdown_reason : DOMAIN_ALIVE;
}

#endif
