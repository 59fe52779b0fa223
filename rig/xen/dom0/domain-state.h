/* What a domain is doing, asked from the hypervisor. */
#ifndef DOMAIN_STATE_H
#define DOMAIN_STATE_H

#include <xenctrl.h>

#define DOMAIN_ALIVE (-1)
#define DOMAIN_GONE (-2)

/* DOMAIN_ALIVE, DOMAIN_GONE (destroyed, or never was), or the SHUTDOWN_* reason that it gave (xen/include/public/sched.h). */
static inline int domain_state(xc_interface *xc, uint32_t domid)
{
	xc_domaininfo_t info;
	int found = xc_domain_getinfolist(xc, domid, 1, &info);

	/* Only dom0 may ask; a guest that runs these programs relies on what its peer says. */
	if (found < 0)
		return DOMAIN_ALIVE;
	/* The list begins with the first domain from that one on. */
	if (found != 1 || info.domain != domid || info.flags & XEN_DOMINF_dying)
		return DOMAIN_GONE;
	if (!(info.flags & XEN_DOMINF_shutdown))
		return DOMAIN_ALIVE;
	return info.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;
}

#endif
