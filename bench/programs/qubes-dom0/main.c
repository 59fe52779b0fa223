/*
 * qubes-dom0 DOMID KEYS: the daemons of a Qubes dom0 for one domain, with no more of them than a measurement needs, natively, on
 * libxenvchan. KEYS is a file of lines PATH TAB VALUE for QubesDB. Takes commands from standard input; each answers with one line:
 *   boot PARTS           unpauses the domain and serves some of d (QubesDB), q (qrexec), g (GUI), n (its network device is awaited);
 *                        "SECONDS CPU" until the last of them is connected, and of CPU until the domain rests
 *   calls COUNT WINDOW   echoes 32 bytes so often, WINDOW calls at a time: "SECONDS CPU"
 *   bulk BYTES           through one call of the echo, in frames of 64 KiB: "SECONDS CPU"
 *   draw WHAT S copy|-   lets the program draw for S seconds, copies each damaged rectangle or only looks at the message:
 *                        "MESSAGES SECONDS BYTES CPU" and what the service wrote
 *   ask SERVICE          what the service wrote
 * CPU is the domain's, in ms, as Xen counts it. A protocol error, or two minutes without progress, ends the program with a line "error: ...".
 */
#include "dom0.h"

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, RING);

	if (!file || !text || !fread(text, 1, RING - 1, file))
		fail("cannot read %s", path);
	fclose(file);
	return text;
}

int main(int argc, char **argv)
{
	static char line[256];

	if (argc != 3 || !open_domain(argv[1]))
		fail("usage: qubes-dom0 DOMID KEYS, as root in dom0");
	keys = read_file(argv[2]);
	make_input();
	while (fgets(line, sizeof(line), stdin)) {
		char a[64] = "", b[64] = "", c[64] = "", d[64] = "";

		sscanf(line, "%63s %63s %63s %63s", a, b, c, d);
		if (!strcmp(a, "boot"))
			boot(b);
		else if (!strcmp(a, "calls"))
			echo(atol(b), atoi(c), 32);
		else if (!strcmp(a, "bulk"))
			echo(1, 1, strtoull(b, NULL, 10));
		else if (!strcmp(a, "draw"))
			draw(b, c, !strcmp(d, "copy"));
		else if (!strcmp(a, "ask"))
			printf("%s\n", ask(b)->text);
		else
			fail("no command %s", a);
		fflush(stdout);
	}
	return 0;
}
