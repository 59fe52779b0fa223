/* Xen's interface as far as the kernel uses it. Numbers and layouts from xen/include/public (header named at each). */
#pragma once
#include "kernel.h"

enum { EPERM = 1, ENOENT = 2, EBUSY = 16, EINVAL = 22 };	/* errno.h; hypercalls return them negative */

/* xen.h: hypercall numbers */
enum { HC_memory = 12, HC_grant_table = 20, HC_vcpu = 24, HC_sched = 29, HC_event_channel = 32, HC_hvm = 34 };

#define DOMID_SELF 0x7ff0

extern u8 hypercall_page[];	/* boot.S; until Xen fills it every call returns -ENOSYS */

/* arch-x86/xen.h: arguments in RDI, RSI, RDX; what they point to must be mapped, since Xen does not take our page faults. */
static inline s64 hypercall(u32 number, u64 a, u64 b, u64 c)
{
	s64 result;
	__asm__ volatile("call *%4" : "=a"(result), "+D"(a), "+S"(b), "+d"(c) : "r"(hypercall_page + number * 32)
		: "rcx", "r8", "r9", "r10", "r11", "memory");
	return result;
}

/* memory.h */
enum { XENMEM_current_reservation = 3, XENMEM_add_to_physmap = 7, XENMEM_memory_map = 9 };
enum { XENMAPSPACE_shared_info = 0, XENMAPSPACE_grant_table = 1 };
struct xen_add_to_physmap { u16 domid, size; u32 space; u64 index, gpfn; };
struct xen_memory_map { u32 entries; u32 pad; void *buffer; };
struct e820 { u64 start, size; u32 type; } __attribute__((packed));

/* hvm/params.h, hvm/hvm_op.h */
enum { HVMOP_set_param = 0, HVMOP_get_param = 1 };
enum { HVM_PARAM_CALLBACK_IRQ = 0, HVM_PARAM_STORE_PFN = 1, HVM_PARAM_STORE_EVTCHN = 2, HVM_PARAM_CONSOLE_PFN = 17, HVM_PARAM_CONSOLE_EVTCHN = 18 };
struct xen_hvm_param { u16 domid, pad; u32 index; u64 value; };
#define CALLBACK_VECTOR(v) (2ul << 56 | (v))	/* inject vector v directly: no local APIC, no end of interrupt */
#define EVENT_VECTOR 32

/* event_channel.h */
enum { EVTCHNOP_bind_interdomain = 0, EVTCHNOP_bind_virq = 1, EVTCHNOP_close = 3, EVTCHNOP_send = 4, EVTCHNOP_status = 5, EVTCHNOP_alloc_unbound = 6,
	EVTCHNOP_unmask = 9 };
enum { EVTCHNSTAT_virq = 4 };
struct xen_port_status { u16 domain, pad; u32 port, status, vcpu, virq, more; };	/* virq: when the status says so */
#define PORTS 4096		/* of the two-level ABI, which is ours */
#define MOST_PORTS 0x20000	/* of the FIFO ABI, which others may have */

/* vcpu.h, sched.h */
enum { VCPUOP_set_singleshot_timer = 8, VIRQ_TIMER = 0 };
enum { SCHEDOP_shutdown = 2, SCHEDOP_poll = 3 };
enum shutdown_reason { SHUTDOWN_poweroff = 0, SHUTDOWN_reboot = 1, SHUTDOWN_suspend = 2, SHUTDOWN_crash = 3 };
struct sched_poll { u32 *ports; u32 count, pad; u64 timeout; };	/* timeout: absolute system time, ns */

/* xen.h, arch-x86/xen.h: the page shared with Xen, 64-bit layout */
struct vcpu_time { u32 version, pad; u64 tsc, system_ns; u32 mul; s8 shift; u8 flags, pad2[2]; };
struct shared_info {
	struct { u8 upcall_pending, upcall_mask, pad[6]; u64 pending_select, arch[2]; struct vcpu_time time; } vcpu[32];
	u64 pending[64], mask[64];
	u32 wall_version, wall_sec, wall_nsec, wall_sec_high;
};
_Static_assert(offsetof(struct shared_info, pending) == 2048 && offsetof(struct shared_info, wall_version) == 3072, "xen.h");

/* grant_table.h */
enum { GNTTABOP_map_grant_ref = 0, GNTTABOP_unmap_grant_ref = 1, GNTTABOP_query_size = 6 };
enum { GNTMAP_host_map = 2, GNTMAP_readonly = 4, GNTST_general_error = -1 };
struct gnttab_map { u64 host_address; u32 flags, ref; u16 domain; s16 status; u32 handle; u64 bus_address; };
struct gnttab_unmap { u64 host_address, bus_address; u32 handle; s16 status; };
struct gnttab_size { u16 domain; u32 frames, most; s16 status; };

/* ---- xen.c ---- */

extern volatile struct shared_info *shared_info;	/* NULL until xen_connect */
extern u32 xen_version;					/* major << 16 | minor */
extern u32 timer_port, xenstore_port;
extern u64 xenstore_frame;
bool xen_find(void);					/* looks for Xen and sets up the hypercall page */
void xen_connect(void);					/* what a restored domain needs again: shared_info, events, console, timer */
u64 xen_hole(u32 index);				/* guest-physical address of an unpopulated frame, one for each page of the I/O area; 0 is shared_info's */
s64 xen_map_frame(u32 space, u64 index, u64 physical);
void xen_unmask(u32 port);
s64 xen_port_status(u32 port, struct xen_port_status *op);
static inline s64 xen_send(u32 port) { return hypercall(HC_event_channel, EVTCHNOP_send, (u64)&port, 0); }
s64 xen_shutdown(u32 reason);				/* drains the console; returns only from suspend: 1 same domain, 0 a new one, set up again */
