/*
 * granted-pages DOMID: shows pages that a domain grants, as the X server of a GUI domain sees a window's image: mapped read-only,
 * one after another, and read when asked.
 *
 * Standard input, numbers being u32 little-endian: the count of grant references and the references; then any number of
 * rectangles: offset of the first byte, bytes in a row, bytes from row to row, rows. Answers with the line "mapped", or "failed" and
 * why; then with the bytes of each rectangle. When standard input ends the pages are unmapped, before the program ends.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xengnttab.h>

#define PAGE 4096u
/* Of one WINDOW_DUMP: MAX_GRANT_REFS_COUNT of qubes-gui-protocol.h. */
#define MOST_PAGES 98304u

static uint32_t refs[MOST_PAGES];

/* Gives 0 when the input ended first. */
static int read_all(void *bytes, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = read(0, (char *)bytes + done, length - done);

		if (n <= 0)
			return 0;
		done += n;
	}
	return 1;
}

static int write_all(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(1, bytes, length);

		if (n <= 0)
			return 0;
		bytes += n;
		length -= n;
	}
	return 1;
}

static int show(const char *pages, uint64_t size)
{
	uint32_t r[4];

	while (read_all(r, sizeof(r))) {
		uint64_t offset = r[0], row = r[1], stride = r[2], rows = r[3];

		if (rows > 0 && offset + (rows - 1) * stride + row > size) {
			fprintf(stderr, "granted-pages: a rectangle ends behind the pages\n");
			return 1;
		}
		for (; rows > 0; rows--, offset += stride)
			if (!write_all(pages + offset, row))
				return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	xengnttab_handle *grants = xengnttab_open(NULL, 0);
	uint32_t count;
	void *pages;
	int result;

	if (argc != 2 || !grants) {
		fprintf(stderr, argc != 2 ? "usage: granted-pages DOMID\n" : "granted-pages: no access to gntdev\n");
		return 2;
	}
	if (!read_all(&count, sizeof(count)) || count < 1 || count > MOST_PAGES || !read_all(refs, count * sizeof(*refs)))
		return 2;
	pages = xengnttab_map_domain_grant_refs(grants, count, (uint32_t)atoi(argv[1]), refs, PROT_READ);
	if (!pages) {
		printf("failed: %s\n", strerror(errno));
		return 1;
	}
	printf("mapped\n");
	fflush(stdout);
	result = show(pages, (uint64_t)count * PAGE);
	xengnttab_unmap(grants, pages, count);
	xengnttab_close(grants);
	return result;
}
