/* cpu-time DOMID...: nanoseconds that the processors of each domain have run, one line (xl list has tenths of seconds). */
#include <stdio.h>
#include <stdlib.h>
#include <xenctrl.h>

int main(int argc, char **argv)
{
	xc_interface *xc = xc_interface_open(NULL, NULL, 0);

	if (!xc || argc < 2) {
		fprintf(stderr, "usage: cpu-time DOMID... (in dom0)\n");
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		uint32_t domid = (uint32_t)strtoul(argv[i], NULL, 10);
		xc_domaininfo_t info;

		if (xc_domain_getinfolist(xc, domid, 1, &info) != 1 || info.domain != domid) {
			fprintf(stderr, "cpu-time: there is no domain %s\n", argv[i]);
			return 1;
		}
		printf("%llu%c", (unsigned long long)info.cpu_time, i + 1 < argc ? ' ' : '\n');
	}
	return 0;
}
