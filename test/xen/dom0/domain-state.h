/* What a domain is doing, asked from the hypervisor. */
#ifndef DOMAIN_STATE_H
#define DOMAIN_STATE_H

#include <xenctrl.h>

#define DOMAIN_ALIVE (-1)
#define DOMAIN_GONE (-2)

/* DOMAIN_ALIVE, DOMAIN_GONE (destroyed, or never was), or the SHUTDOWN_* reason that it gave (xen/include/public/sched.h). */
static inline int domain_state(xc_interface *xc, uint32_t domid)
{
	xc_dominfo_t info;

	if (xc_domain_getinfo(xc, domid, 1, &info) != 1 || info.domid != domid || info.dying)
		return DOMAIN_GONE;
	return info.shutdown || info.crashed ? (int)info.shutdown_reason : DOMAIN_ALIVE;
}

#endif
