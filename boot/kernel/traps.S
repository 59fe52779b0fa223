/* Interrupt stubs, 16 bytes each: push an error code where the processor does not, then the vector; save; call trap() in traps.c. */
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
	.rept 33			/* 32 exceptions and EVENT_VECTOR */
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

	/* The only place where interrupts are on. */
	.globl wait_for_event, halt_instruction
wait_for_event:
	sti
halt_instruction:
	hlt
	cli
	ret

	/* void on_stack(u64 stack_top, void (*function)(void)): leaves the present stack for good. */
	.globl on_stack
on_stack:
	movq %rdi, %rsp
	xorl %ebp, %ebp
	call *%rsi
	ud2
