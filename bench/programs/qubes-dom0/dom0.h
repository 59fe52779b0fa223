/* What the files of qubes-dom0 share; main.c says what the program does. */
#ifndef DOM0_H
#define DOM0_H

#include <libxenvchan.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenctrl.h>
#include <xengnttab.h>
#include <xenstore.h>

#define RING 65536
#define FIRST_PORT 513
#define PORTS 256
#define GIVE_UP_S 120

/* libqrexec/qrexec.h */
enum { STDIN = 0x190, STDOUT, STDERR, EXIT_CODE, EXEC = 0x200, REFUSED = 0x203, TERMINATED = 0x211, TRIGGER3, HELLO = 0x300 };

struct frame { uint32_t type, length; };

struct call {
	struct libxenvchan *vchan;
	int greeted, running, input_ended, over;
	double close_at;			/* 0 until the domain has closed it */
	uint64_t input;				/* bytes that are in no frame yet */
	uint32_t to_send, to_read, type;	/* rest of the present frame each way */
	uint64_t output;
	char text[1024];			/* the first of the output */
};

/* domain.c: the domain, and vchans with it */
extern uint32_t domid;
extern xc_interface *xc;
extern struct xs_handle *xs;
extern xengnttab_handle *grants;
int open_domain(const char *id);
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
double now(void);
double cpu_ms(void);
void give(struct libxenvchan *vchan, const void *bytes, size_t length);
int take(struct libxenvchan *vchan, void *into, size_t length);
struct libxenvchan *connect_to(int port);
struct libxenvchan *serve(int port, int ring);
void hello(struct libxenvchan *vchan);

/* daemons.c: QubesDB and qrexec's control channel, and the loop that serves all there is */
extern char *keys;
extern struct libxenvchan *control;
void turn(int timeout);
void run_until_rest(void);
void boot(const char *parts);

/* calls.c: data channels of qrexec */
extern struct call calls[PORTS];
void make_input(void);
int give_port_back(uint32_t port);
void close_old(void);
void echo(long count, int window, uint64_t bytes);
struct call *ask(const char *service);

/* gui.c: the GUI daemon */
extern int gui_done;
void answer_gui(struct libxenvchan *gui);
void draw(const char *what, const char *seconds, int copy);

#endif
