/*
 * domain-wait DOMID: waits until a domain has shut down or is gone and prints one line: the reason and its number. A domain that
 * suspends itself ends only when the toolstack then takes it away: after a checkpoint it goes on.
 * Needs the domain to be kept after its end (xl create -e): a destroyed one tells no reason. Before it answers, it lets
 * xenconsoled read what the domain wrote last, since destroying the domain would lose that.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xenforeignmemory.h>
#include <xenstore.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>
#include <xen/sched.h>
#include "domain-state.h"

/* SHUTDOWN_* of xen/include/public/sched.h, in order. */
static const char *const reasons[] = { "poweroff", "reboot", "suspend", "crash", "watchdog", "soft-reset" };

static void wait_for_console(xc_interface *xc, uint32_t domid)
{
	volatile struct xencons_interface *ring;
	xenforeignmemory_handle *memory = xenforeignmemory_open(NULL, 0);
	uint64_t param;
	xen_pfn_t pfn;

	if (!memory || xc_hvm_param_get(xc, domid, HVM_PARAM_CONSOLE_PFN, &param))
		return;
	pfn = param;
	ring = xenforeignmemory_map(memory, domid, PROT_READ, 1, &pfn, NULL);
	if (!ring)
		return;
	/* At most 2 s: the domain may have left nonsense in the page. */
	for (int i = 0; i < 100 && ring->out_cons != ring->out_prod; i++)
		usleep(20000);
	/* xenconsoled moves the index first and writes its log then. */
	usleep(20000);
}

int main(int argc, char **argv)
{
	xc_interface *xc = xc_interface_open(NULL, NULL, 0);
	struct xs_handle *xs = xs_open(0);
	uint32_t domid;
	bool suspended = false;

	if (argc != 2) {
		fprintf(stderr, "usage: domain-wait DOMID\n");
		return 2;
	}
	domid = (uint32_t)strtoul(argv[1], NULL, 10);
	/* xenstored fires this watch for every domain that shuts down or goes. */
	if (!xc || !xs || !xs_watch(xs, "@releaseDomain", "end")) {
		fprintf(stderr, "domain-wait: no access to Xen or xenstored\n");
		return 1;
	}
	for (;;) {
		struct pollfd fds[2] = { { .fd = xs_fileno(xs), .events = POLLIN }, { .fd = 0, .events = POLLIN } };
		int state = domain_state(xc, domid);

		if (state == DOMAIN_GONE) {
			puts(suspended ? "suspend 2" : "destroyed -1");
			return 0;
		}
		suspended = state == SHUTDOWN_suspend;
		if (state != DOMAIN_ALIVE && !suspended) {
			wait_for_console(xc, domid);
			printf("%s %d\n", state < 6 ? reasons[state] : "unknown", state);
			return 0;
		}
		/* The time limit is a safety net only. Standard input ends when nobody is interested any more. */
		poll(fds, 2, 5000);
		if (fds[1].revents)
			return 1;
		if (fds[0].revents & POLLIN)
			free(xs_check_watch(xs));
	}
}
