/*
 * domain-sleep DOMID SECONDS [unmarked]: what Qubes does to a domain while the host sleeps. libxl asks it to suspend itself, leaves
 * it so, and wakes it up in the same world; libvirt makes these two calls (libxl_driver.c: PMSuspendForDuration and PMWakeup). xl has
 * no command for it. With `unmarked` the domain is not told that its suspend was cancelled, as libxl 4.14 does with PVH domains.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <libxl.h>

int main(int argc, char **argv)
{
	xentoollog_logger_stdiostream *log = xtl_createlogger_stdiostream(stderr, XTL_ERROR, 0);
	libxl_ctx *ctx = NULL;
	uint32_t domid;
	int error;

	if (argc < 3 || argc > 4 || (argc == 4 && strcmp(argv[3], "unmarked"))) {
		fprintf(stderr, "usage: domain-sleep DOMID SECONDS [unmarked]\n");
		return 2;
	}
	domid = (uint32_t)strtoul(argv[1], NULL, 10);
	if (libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, (xentoollog_logger *)log)) {
		fprintf(stderr, "domain-sleep: no access to libxl\n");
		return 1;
	}
	error = libxl_domain_suspend_only(ctx, domid, NULL);
	if (!error) {
		sleep(strtoul(argv[2], NULL, 10));
		error = libxl_domain_resume(ctx, domid, argc == 3, NULL);
	}
	if (error)
		fprintf(stderr, "domain-sleep: libxl says %d\n", error);
	libxl_ctx_free(ctx);
	xtl_logger_destroy((xentoollog_logger *)log);
	return error != 0;
}
