/* What native.c has of kernel.c: the kernel's own handling of a call of the ABI, which knows the kernel's headers and not Linux's. */
#pragma once
#include "rt.h"

void native_begin(u32 context, const char *facts);
u32 *native_array(u32 value);	/* where the words of an array are, from its JSValue* */
const char *native_name(u32 id);
int native_is_kernels(u32 id);	/* what it does is the kernel's alone: memory and clocks */
u32 native_call(u32 context, u32 this_value, u32 argc, u32 argv, u32 id);	/* import_qts_host_call_function of boot/kernel/abi.c */
