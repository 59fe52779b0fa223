/*
 * Finding Xen and connecting to it: CPUID leaves, hypercall page, shared_info, HVM parameters, the event vector; and shutdown,
 * which includes suspend. Everything that a restored domain has lost is in xen_connect, so boot and resume are the same code.
 */
#include "xen.h"

volatile struct shared_info *shared_info;
u32 xen_version, timer_port, xenstore_port;
u64 xenstore_frame;
static u64 hole;	/* guest-physical address of 2 GiB without RAM */

/* arch-x86/cpuid.h: the signature may be at 0x40000000 or, when Viridian leaves come first, at a multiple of 0x100 above. */
bool xen_find(void)
{
	for (u32 leaf = 0x40000000; leaf < 0x40010000; leaf += 0x100) {
		struct cpuid id = cpuid(leaf, 0);
		if (id.ebx != 0x566e6558 || id.ecx != 0x65584d4d || id.edx != 0x4d4d566e)	/* "XenVMMXenVMM" */
			continue;
		xen_version = cpuid(leaf + 1, 0).eax;
		/* In long mode, since Xen takes our word size, and with it the layout of shared_info, from this write. */
		wrmsr(cpuid(leaf + 2, 0).ebx, image_physical(hypercall_page));
		return true;
	}
	return false;
}

/*
 * Shared_info and foreign pages need guest-physical addresses without RAM. Below 4 GiB when there is room (a save then has less
 * to walk through), and always outside of what the memory map names.
 */
static u64 find_hole(void)
{
	const u64 span = 0x80000000ul, top = 0xfc000000ul;	/* from there on ACPI, local APIC, special pages */
	u64 low = 0, end = 1ul << 32;
	for (u32 i = 0; i < memory_ranges; i++) {
		if (memory_map[i].start < top && memory_map[i].end > low)
			low = memory_map[i].end;
		if (memory_map[i].end > end)
			end = memory_map[i].end;
	}
	low = ROUND_UP(low, 0x200000);
	return low + span <= top ? low : ROUND_UP(end, 1ul << 30);
}

u64 xen_hole(u32 index) { return hole + index * PAGE; }

s64 xen_map_frame(u32 space, u64 index, u64 physical)
{
	struct xen_add_to_physmap op = { DOMID_SELF, 0, space, index, physical / PAGE };
	return hypercall(HC_memory, XENMEM_add_to_physmap, (u64)&op, 0);
}

static u64 hvm_param(u32 index)
{
	struct xen_hvm_param op = { DOMID_SELF, 0, index, 0 };
	return hypercall(HC_hvm, HVMOP_get_param, (u64)&op, 0) ? 0 : op.value;
}

void xen_unmask(u32 port)
{
	if (port)
		hypercall(HC_event_channel, EVTCHNOP_unmask, (u64)&port, 0);
}

void xen_connect(void)
{
	if (!hole)
		hole = find_hole();
	s64 error = xen_map_frame(XENMAPSPACE_shared_info, 0, xen_hole(0));
	if (error)
		refuse("Xen refuses to map shared_info at %lx: %ld", xen_hole(0), error);
	shared_info = fixed_map(0, xen_hole(0));
	for (u32 i = 0; i < 64; i++)	/* the page starts with every port unmasked */
		shared_info->mask[i] = ~0ul;

	u32 port = hvm_param(HVM_PARAM_CONSOLE_EVTCHN);
	u64 console = hvm_param(HVM_PARAM_CONSOLE_PFN);
	if (console)
		console_connect(console, port);
	xenstore_frame = hvm_param(HVM_PARAM_STORE_PFN);
	xenstore_port = hvm_param(HVM_PARAM_STORE_EVTCHN);

	struct xen_hvm_param callback = { DOMID_SELF, 0, HVM_PARAM_CALLBACK_IRQ, CALLBACK_VECTOR(EVENT_VECTOR) };
	error = hypercall(HC_hvm, HVMOP_set_param, (u64)&callback, 0);
	struct { u32 virq, vcpu, port; } timer = { VIRQ_TIMER, 0, 0 };
	error = error ? error : hypercall(HC_event_channel, EVTCHNOP_bind_virq, (u64)&timer, 0);
	if (error)
		refuse("Xen refuses the event vector or the timer: %ld", error);
	timer_port = timer.port;
	xen_unmask(timer_port);
	xen_unmask(port);
	xen_unmask(xenstore_port);
}

s64 xen_port_status(u32 port, struct xen_port_status *op)
{
	*op = (struct xen_port_status){ .domain = DOMID_SELF, .port = port };
	return hypercall(HC_event_channel, EVTCHNOP_status, (u64)op, 0);
}

/*
 * SCHEDOP_shutdown returns 1 when the suspend was cancelled, but only if the toolstack wrote that 1: libxl 4.14 does not for a PVH
 * domain, which then sees 0 in the world it left. Of a new world Xen knows no port but those that the toolstack made.
 */
static bool in_same_world(void)
{
	struct xen_port_status op;
	return !xen_port_status(timer_port, &op) && op.status == EVTCHNSTAT_virq && op.virq == VIRQ_TIMER;
}

s64 xen_shutdown(u32 reason)
{
	console_drain();
	if (reason == SHUTDOWN_suspend)
		time_suspend();
	s64 result = hypercall(HC_sched, SCHEDOP_shutdown, (u64)&reason, 0);
	if (reason != SHUTDOWN_suspend)
		for (;;)	/* Xen takes the processor away; without Xen this is the end as well */
			__asm__ volatile("cli; hlt");
	if (result == 0 && !xen_find())
		refuse("Xen is gone after a restore");
	if (result == 0 && in_same_world())
		result = 1;
	if (result == 0) {
		xen_connect();
		events_resume();
		io_resume();
	}
	time_resume(result == 0);
	if (result == 0)
		random_resume();
	return result;
}
