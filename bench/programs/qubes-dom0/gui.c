/* The GUI daemon: it has one window. */
#include "dom0.h"
#include <errno.h>
#include <sys/mman.h>

/* qubes-gui-protocol.h */
enum { CREATE = 130, MAP = 132, SHMIMAGE = 136, DUMP = 147, DUMP_ACK = 149 };

struct gui_header { uint32_t type, window, length; };

int gui_done;
static struct gui_header header;
static uint32_t body[RING], have, image_pages, image_width, image_height;
static char *image, *picture;
static long messages, copied;
static double first_message, last_message;
static int copying;

static void map_image(void)
{
	if (image)
		xengnttab_unmap(grants, image, image_pages);
	image_width = body[1];
	image_height = body[2];
	image_pages = header.length / 4 - 4;
	if ((uint64_t)image_width * image_height * 4 > image_pages * 4096ull)
		fail("an image of %ux%u in %u pages", image_width, image_height, image_pages);
	image = xengnttab_map_domain_grant_refs(grants, image_pages, domid, body + 4, PROT_READ);
	if (!image)
		fail("cannot map %u pages of the image: %s", image_pages, strerror(errno));
	picture = realloc(picture, image_pages * 4096ull);
}

static void copy_damage(void)
{
	uint64_t x = body[0], y = body[1], width = body[2], height = body[3];

	if (!image || x + width > image_width || y + height > image_height)
		fail("damage outside of the image");
	/* Whole rows are one piece. */
	if (width == image_width) {
		width *= height;
		height = 1;
	}
	for (uint64_t row = y; row < y + height; row++)
		memcpy(picture + (row * image_width + x) * 4, image + (row * image_width + x) * 4, width * 4);
	copied += width * height * 4;
}

void answer_gui(struct libxenvchan *gui)
{
	if (!gui_done) {
		uint32_t version, answer[5] = { 1 << 16 | 7, 1920, 1080, 24, 8192 };

		if (!take(gui, &version, 4))
			return;
		give(gui, answer, sizeof(answer));
		gui_done = 1;
	}
	for (;;) {
		if (!header.type && !take(gui, &header, sizeof(header)))
			return;
		if (header.length > sizeof(body))
			fail("a GUI message of %u bytes", header.length);
		while (have < header.length) {
			int n = libxenvchan_read(gui, (char *)body + have, header.length - have);

			if (n <= 0)
				return;
			have += n;
		}
		if (header.type == DUMP) {
			uint32_t ack[3] = { DUMP_ACK, header.window, 0 };

			map_image();
			give(gui, ack, sizeof(ack));
		} else if (header.type == SHMIMAGE) {
			if (copying)
				copy_damage();
			last_message = now();
			if (!messages++)
				first_message = last_message;
		}
		header.type = 0;
		have = 0;
	}
}

void draw(const char *what, const char *seconds, int copy)
{
	char service[128];
	double cpu;
	struct call *c;

	run_until_rest();
	cpu = cpu_ms();
	copying = copy;
	messages = copied = 0;
	snprintf(service, sizeof(service), "bench.Draw+%s.%s", what, seconds);
	c = ask(service);
	cpu = cpu_ms() - cpu;
	run_until_rest();
	printf("%ld %.6f %ld %.3f %s\n", messages, last_message - first_message, copied, cpu, c->text);
}
