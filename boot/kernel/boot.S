/*
 * PVH entry (xen docs/misc/pvh.pandoc): 32-bit protected mode, paging off, EBX = physical address of start_info, nothing else
 * promised. From here to long mode on our own tables, stack and descriptors; the image is linked at KERNEL_BASE + physical.
 */
#define KERNEL_BASE 0xffffffff80000000
#define PHYS(x) ((x) - KERNEL_BASE)
#define STACK_TOP 0xffffffffc3ff0000	/* kernel.h */

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18			/* elfnote.h: XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long PHYS(entry)

	.section .text.boot, "ax"
	.code32
	.globl entry
entry:
	cli
	cld
	rdtsc
	movl %eax, PHYS(entry_tsc)
	movl %edx, PHYS(entry_tsc + 4)
	movl %ebx, PHYS(start_info_address)

	/* Boot page tables: the first GiB at 0, at DIRECT_BASE and at KERNEL_BASE, in pages of 2 MiB. paging.c makes the real ones. */
	movl $PHYS(boot_directory), %edi
	movl $0x83, %eax		/* present, write, large */
	movl $512, %ecx
1:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	decl %ecx
	jnz 1b
	movl $PHYS(boot_directory) + 3, PHYS(boot_pointers)
	movl $PHYS(boot_directory) + 3, PHYS(boot_pointers + 510 * 8)
	movl $PHYS(boot_pointers) + 3, PHYS(boot_root)
	movl $PHYS(boot_pointers) + 3, PHYS(boot_root + 256 * 8)
	movl $PHYS(boot_pointers) + 3, PHYS(boot_root + 511 * 8)

	lgdt PHYS(gdt_pointer)
	movl $0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	movl %eax, %cr4
	movl $PHYS(boot_root), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx		/* EFER: long mode, no-execute */
	rdmsr
	orl $0x900, %eax
	wrmsr
	movl $0x80010033, %eax		/* PG WP NE ET MP PE: WP makes read-only mean it for the kernel too */
	movl %eax, %cr0
	ljmp $8, $PHYS(1f)
	.code64
1:	movabs $2f, %rax
	jmp *%rax
2:	lgdt gdt_pointer_high(%rip)
	movl $16, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	leaq boot_stack_top(%rip), %rsp
	fninit
	pushq $0x1f80			/* SSE: round to nearest, all exceptions masked */
	ldmxcsr (%rsp)
	xorl %ebp, %ebp
	call boot_memory		/* main.c: returns the final page tables */
	movq %rax, %cr3
	movabs $STACK_TOP, %rsp
	call kernel_main
	ud2

	/* Xen fills this page at the wrmsr in xen_find; until then each of the 128 entries says -ENOSYS. */
	.section .text.hypercall, "ax"
	.balign 4096
	.globl hypercall_page
hypercall_page:
	.rept 128
	movq $-38, %rax
	ret
	.balign 32
	.endr

	.section .data, "aw"
	.globl gdt, entry_tsc, start_info_address
	.balign 16
gdt:	.quad 0
	.quad 0x00af9b000000ffff	/* 8: 64-bit code */
	.quad 0x00cf93000000ffff	/* 16: data */
	.quad 0, 0			/* 24: task state, traps.c */
gdt_pointer:
	.word 5 * 8 - 1
	.long PHYS(gdt)
gdt_pointer_high:
	.word 5 * 8 - 1
	.quad gdt
	.balign 8
entry_tsc:
	.quad 0
start_info_address:
	.quad 0

	/* Unused once kernel_main runs: its frames then go to the allocator. */
	.section .bss.boot, "aw", @nobits
	.balign 4096
boot_root:
	.skip 4096
boot_pointers:
	.skip 4096
boot_directory:
	.skip 4096
	.skip 8192
boot_stack_top:
