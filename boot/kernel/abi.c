/*
 * Host calls: JavaScript calls a function of the ABI by its number. Arguments are checked against the table (boot/abi/table.ts)
 * and handed over as struct arg; a wrong one throws a TypeError or RangeError that names the function and the argument.
 */
#include "js.h"
#include "abi.h"

/* The functions: abi_NAME(args) with the C type of its result. A string is returned as a JSValue*, and so is anything else. */
typedef f64 result_NUM;
typedef void result_VOID;
typedef u32 result_STR;
typedef struct pages result_BUFFER;
typedef u32 result_ANY;
#define DECLARE(name, result, kinds) result_##result abi_##name(const struct arg *);
ABI_TABLE(DECLARE)

#define ROW(name, result, kinds) { #name, kinds, sizeof kinds - 1 },
static const struct { const char *name, *kinds; u32 count; } table[] = { ABI_TABLE(ROW) };
#define NUMBER(name, result, kinds) ID_##name,
enum { ABI_TABLE(NUMBER) };

#define MOST_ARGS 8
static const char *error_type;	/* set when the present call will throw */
static char error_text[200];
static u32 present;		/* number of the present function */

static void set_error(const char *type, const char *text, va_list args)
{
	u32 n = format(error_text, sizeof error_text, "%s: ", table[present].name);
	vformat(error_text + n, sizeof error_text - n, text, args);
	error_type = type;
}

static void __attribute__((format(printf, 1, 2))) type_error(const char *text, ...)
{
	va_list args;
	va_start(args, text);
	set_error("TypeError", text, args);
	va_end(args);
}

f64 range_error(const char *text, ...)
{
	va_list args;
	va_start(args, text);
	set_error("RangeError", text, args);
	va_end(args);
	return 0;
}

bool failed(void) { return error_type; }

u64 whole(const struct arg *arg, const char *name, u64 most)
{
	if (arg->number >= 0 && arg->number <= (f64)most && arg->number == (f64)(u64)arg->number)
		return arg->number;
	char text[32] = "not a whole number";
	if (arg->number > -1e15 && arg->number < 1e15 && arg->number == (f64)(s64)arg->number)
		format(text, sizeof text, "%ld", (s64)arg->number);
	range_error("%s is %s; it must be a whole number from 0 to %lu", name, text, most);
	return 0;
}

u8 *range(const struct arg *array, const struct arg *offset, u64 length, u64 align)
{
	u64 at = whole(offset, "offset", 0xffffffff);
	if (failed())
		return NULL;
	if (at + length > array->length || length > array->length) {
		range_error("offset %lu, length %lu is outside of an array of %u bytes", at, length, array->length);
		return NULL;
	}
	if ((u64)(array->bytes + at) & (align - 1)) {
		range_error("offset %lu is not aligned to %lu bytes", at, align);
		return NULL;
	}
	return array->bytes + at;
}

void record(const struct arg *array, const char *name, u32 size)
{
	if (array->length < size)
		range_error("%s has %u bytes; it must have at least %u", name, array->length, size);
	else if ((u64)array->bytes & 3)
		range_error("%s is not aligned to 4 bytes", name);
}

/* Reads argument i; strings stay with the engine until release(). */
static void read(u64 value, u32 address, u32 i, char kind, struct arg *arg)
{
	s32 tag = tag_of(value);
	if (kind == 'n' && is_number(value)) {
		arg->number = number_of(value);
	} else if (kind == 's' && (tag == TAG_STRING || tag == TAG_ROPE)) {
		u32 text = engine_QTS_GetString(snapshot->context, address);
		if (!text) {
			range_error("no memory for a copy of argument %u", i + 1);
			return;
		}
		arg->bytes = engine_memory(text);
		arg->length = get32(text - snapshot->string_length) & 0x7fffffff;
	} else if (kind == 'f' && tag == TAG_OBJECT) {
		arg->value = address;	/* calling what is no function throws */
	} else if (kind != 'b' || !array_of(value, &arg->bytes, &arg->length)) {
		type_error("argument %u must be %s", i + 1, kind == 'n' ? "a number" : kind == 's' ? "a string" : kind == 'f' ? "a function" : "a Uint8Array");
	}
}

static void release(const char *kinds, const struct arg *arg, u32 count)
{
	for (u32 i = 0; i < count; i++)
		if (kinds[i] == 's' && arg[i].bytes)
			engine_QTS_FreeCString(snapshot->context, (u64)arg[i].bytes - ENGINE_BASE);
}

/* Calls the function and makes a JSValue* of its result, 0 for undefined. */
#define RETURN_NUM(call) ({ f64 number = call; failed() ? 0 : new_number(number); })
#define RETURN_VOID(call) ({ call; 0; })
#define RETURN_STR(call) call
#define RETURN_ANY(call) call
#define RETURN_BUFFER(call) ({ struct pages p = call; p.length ? new_buffer(p.address, p.length) : 0; })
#define CASE(name, result, kinds) case ID_##name: return RETURN_##result(abi_##name(arg));

static u32 invoke(u32 id, const struct arg *arg)
{
	switch (id) { ABI_TABLE(CASE) }
	return 0;
}

u32 import_qts_host_call_function(u32 context, u32 this_value, u32 argc, u32 argv, u32 id)
{
	if (id >= ABI_COUNT)
		panic("host function %u does not exist: the snapshot does not belong to this kernel", id);
	const char *kinds = table[id].kinds;
	struct arg arg[MOST_ARGS];
	u32 count = table[id].count, taken = 0, result = 0;
	error_type = NULL;
	present = id;
	if (argc != count)
		type_error("takes %u arguments, not %u", count, argc);
	for (; taken < count && !failed(); taken++) {
		arg[taken] = (struct arg){ 0 };
		read(get64(argv + 8 * taken), argv + 8 * taken, taken, kinds[taken], &arg[taken]);
	}
	if (!failed())
		result = invoke(id, arg);
	release(kinds, arg, taken);
	if (!failed())
		return result;
	drop(result);
	return throw_error(error_type, error_text);
}
