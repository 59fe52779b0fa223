/* The domain: what Xen says about it, and vchans with it. */
#include "dom0.h"
#include <errno.h>
#include <stdarg.h>
#include <time.h>

uint32_t domid;
xc_interface *xc;
struct xs_handle *xs;
xengnttab_handle *grants;

/* Gives 0 where this is not dom0. */
int open_domain(const char *id)
{
	xc = xc_interface_open(NULL, NULL, 0);
	xs = xs_open(0);
	grants = xengnttab_open(NULL, 0);
	domid = (uint32_t)strtoul(id, NULL, 10);
	return xc && xs && grants;
}

_Noreturn void fail(const char *format, ...)
{
	va_list args;

	printf("error: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	exit(1);
}

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

double cpu_ms(void)
{
	xc_dominfo_t info;

	if (xc_domain_getinfo(xc, domid, 1, &info) != 1 || info.domid != domid || info.shutdown || info.dying)
		fail("the domain has ended");
	return info.cpu_time / 1e6;
}

void give(struct libxenvchan *vchan, const void *bytes, size_t length)
{
	for (const char *at = bytes; length > 0;) {
		int n = libxenvchan_write(vchan, at, length);

		if (n < 0)
			fail("the domain closed a vchan");
		if (n == 0)
			libxenvchan_wait(vchan);
		at += n;
		length -= n;
	}
}

/* Takes a whole message of known length, or nothing yet. */
int take(struct libxenvchan *vchan, void *into, size_t length)
{
	if ((size_t)libxenvchan_data_ready(vchan) < length)
		return 0;
	return libxenvchan_recv(vchan, into, length) == (int)length;
}

struct libxenvchan *connect_to(int port)
{
	char path[128], leaf[160], *value;
	struct libxenvchan *vchan;

	snprintf(path, sizeof(path), "/local/domain/%u/data/vchan/0/%d", domid, port);
	snprintf(leaf, sizeof(leaf), "%s/event-channel", path);
	value = xs_read(xs, XBT_NULL, leaf, NULL);
	free(value);
	if (!value)
		return NULL;
	vchan = libxenvchan_client_init(NULL, domid, path);
	if (!vchan)
		fail("cannot connect to port %d", port);
	vchan->blocking = 0;
	return vchan;
}

struct libxenvchan *serve(int port, int ring)
{
	char path[64];
	struct libxenvchan *vchan;

	snprintf(path, sizeof(path), "data/vchan/%u/%d", domid, port);
	vchan = libxenvchan_server_init(NULL, domid, path, ring, ring);
	if (!vchan)
		fail("cannot serve port %d: %s", port, strerror(errno));
	vchan->blocking = 0;
	return vchan;
}

void hello(struct libxenvchan *vchan)
{
	uint32_t message[3] = { HELLO, 4, 3 };

	give(vchan, message, sizeof(message));
}
