/*
 * Interrupt descriptors and stacks. Every exception has a stack that is always mapped (IST): the native stack is
 * demand-zero, so the processor could not push onto it. Page faults and double faults have one each, since they can nest. Events
 * come while we wait, with the stack below touched before (traps.S).
 */
#include "xen.h"

enum { IST_NONE, IST_PAGE_FAULT, IST_DOUBLE_FAULT, IST_OTHER };
enum { DOUBLE_FAULT = 8, PAGE_FAULT = 14, VECTORS = 33 };

extern u8 trap_stubs[], event_entry[];
extern u64 gdt[];
static struct { u16 low, selector; u8 ist, type; u16 middle; u32 high, reserved; } idt[VECTORS];
static struct { u32 reserved; u64 rsp[3], reserved2, ist[7], reserved3; u16 reserved4, io_map; } __attribute__((packed)) tss;
static u8 stacks[IST_OTHER][4096] __attribute__((aligned(16)));

void traps_init(void)
{
	for (u32 v = 0; v < VECTORS; v++) {
		u64 stub = (u64)(v == EVENT_VECTOR ? event_entry : trap_stubs + 16 * v);
		u8 ist = v == PAGE_FAULT ? IST_PAGE_FAULT : v == DOUBLE_FAULT ? IST_DOUBLE_FAULT : v == EVENT_VECTOR ? IST_NONE : IST_OTHER;
		idt[v].low = stub;
		idt[v].middle = stub >> 16;
		idt[v].high = stub >> 32;
		idt[v].selector = 8;
		idt[v].ist = ist;
		idt[v].type = 0x8e;	/* present interrupt gate */
	}
	for (u32 i = 0; i < IST_OTHER; i++)
		tss.ist[i] = (u64)(stacks[i] + sizeof stacks[i]);
	tss.io_map = sizeof tss;
	u64 base = (u64)&tss;
	gdt[3] = (sizeof tss - 1) | (base & 0xffffff) << 16 | 0x89ul << 40 | (base >> 24 & 0xff) << 56;
	gdt[4] = base >> 32;
	struct { u16 limit; u64 base; } __attribute__((packed)) idtr = { sizeof idt - 1, (u64)idt };
	__asm__ volatile("lidt %0; ltr %w1" :: "m"(idtr), "r"(24));
}

void trap(struct frame *f)	/* from traps.S */
{
	u64 address = 0;
	bool out_of_memory = false;
	if (f->vector == PAGE_FAULT) {
		__asm__ volatile("mov %%cr2, %0" : "=r"(address));
		if (!(f->error & 1) && demand_page(address, &out_of_memory))	/* bit 0: a page was present, its rights forbid it */
			return;
	}
	report_trap(f, address, out_of_memory);
}
