/* Exception stubs, 16 bytes each: push an error code where the processor does not, then the vector; save; call trap() in traps.c. */
	.macro stub vector
	.balign 16
	.if !((\vector == 8) || ((\vector >= 10) && (\vector <= 14)) || (\vector == 17) || (\vector == 21) || (\vector == 29) || (\vector == 30))
	pushq $0
	.endif
	pushq $\vector
	jmp common
	.endm

	.section .text, "ax"
	.globl trap_stubs
	.balign 16
	.altmacro
trap_stubs:
	.set i, 0
	.rept 32
	stub %i
	.set i, i + 1
	.endr
	.noaltmacro

common:
	.irp r, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	pushq %\r
	.endr
	movq %rsp, %rdi			/* struct frame */
	cld
	call trap
	.irp r, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax
	popq %\r
	.endr
	addq $16, %rsp			/* vector, error code */
	iretq

	/*
	 * Waits for Xen's event vector, with interrupts on: the only place where they are. The vector does not return to where it
	 * came, but from wait_for_event, with interrupts off. So an event between sti and hlt is not slept over. One that is delivered
	 * twice (seen under QEMU's emulated SVM, which also loses the interrupt shadow of sti), the second time at any later moment
	 * and whether interrupts are on or not, finds that nobody waits, and goes back to where it came. It is on the interrupted stack
	 * (there is no red zone), so that deliveries nest.
	 */
	.globl wait_for_event, event_entry
wait_for_event:
	movq $0, -64(%rsp)		/* demand-zero: present when the processor pushes onto it */
	movq %rsp, waiting_stack
	sti
1:	hlt
	jmp 1b

event_entry:
	cmpq $0, waiting_stack
	je 2f
	movq waiting_stack, %rsp
	movq $0, waiting_stack
	ret
2:	iretq

	.local waiting_stack
	.comm waiting_stack, 8, 8

	/* void on_stack(u64 stack_top, void (*function)(void)): leaves the present stack for good. */
	.globl on_stack
on_stack:
	movq %rdi, %rsp
	xorl %ebp, %ebp
	call *%rsi
	ud2
