/* JavaScript values, made and read through the engine's C interface, and errors. */
#include "js.h"

#define CONTEXT (snapshot->context)

union bits { f64 number; u64 bits; };

f64 number_of(u64 value)
{
	if (tag_of(value) == TAG_INT)
		return (s32)value;
	return (union bits){ .bits = value + snapshot->float_addend }.number;
}

static u64 value_of(f64 number)
{
	s32 i = number >= -2147483648. && number <= 2147483647. ? (s32)number : 0;
	if (i == number && (i || !__builtin_signbit(number)))	/* as an int where it is one; -0 is none */
		return (u32)i;
	u64 bits = number == number ? (union bits){ .number = number }.bits : 0x7ff8000000000000ul;	/* one NaN only: others are tags */
	return bits - snapshot->float_addend;
}

static u32 allocate(u64 bytes)
{
	u32 address = bytes < 0x80000000 ? engine_malloc(bytes) : 0;
	if (!address)
		panic("out of memory: no %lu bytes in the JavaScript heap for a host call. Give the domain more memory.", bytes);
	return address;
}

u32 new_value(u64 value)
{
	u32 address = allocate(8);
	set64(address, value);
	return address;
}

u32 new_number(f64 number) { return new_value(value_of(number)); }

u32 new_string(const char *utf8)
{
	u32 length = strlen(utf8) + 1, copy = allocate(length);
	memcpy(text_at(copy), utf8, length);
	u32 value = engine_QTS_NewString(CONTEXT, copy);
	engine_free(copy);
	return value;
}

u32 new_buffer(u32 address, u32 length)
{
	u32 value = engine_QTS_NewArrayBuffer(CONTEXT, address, length);
	if (tag_of(get64(value)) == TAG_OBJECT)
		set32(get32((u32)get64(value) + snapshot->buffer_record) + snapshot->buffer_free, 0);
	return value;
}

bool array_of(u64 value, u8 **bytes, u32 *length)
{
	u32 object = value;
	if (tag_of(value) != TAG_OBJECT || *(u16 *)engine_memory(object + snapshot->class_id) != snapshot->uint8array_class)
		return false;
	*bytes = engine_memory(get32(object + snapshot->array_data));
	*length = get32(object + snapshot->array_length);
	return true;
}

void drop(u32 value)
{
	if (value)
		engine_QTS_FreeValuePointer(CONTEXT, value);
}

static u32 property(u32 object, const char *name)
{
	u32 key = new_string(name), value = engine_QTS_GetProp(CONTEXT, object, key);
	drop(key);
	return value;
}

static u32 call_with(u32 function, u32 argument)
{
	u32 list = allocate(4);
	set32(list, argument);
	u32 result = engine_QTS_Call(CONTEXT, function, engine_QTS_GetUndefined(), argument ? 1 : 0, list);
	engine_free(list);
	return result;
}

u32 call(u32 function, u32 argument)
{
	u32 result = call_with(function, argument);
	u32 thrown = engine_QTS_ResolveException(CONTEXT, result);
	drop(result);
	return thrown;
}

u32 throw_error(const char *type, const char *message)
{
	u32 global = engine_QTS_GetGlobalObject(CONTEXT), constructor = property(global, type), text = new_string(message);
	u32 error = call_with(constructor, text);	/* RangeError(text) makes one without `new` too */
	drop(global), drop(constructor), drop(text);
	if (tag_of(get64(error)) == TAG_EXCEPTION)	/* no error can be made, since the stack is full: that is thrown */
		return error;
	u32 result = engine_QTS_Throw(CONTEXT, error);
	drop(error);
	return result;
}

static void print_text(u32 value)
{
	u32 text = engine_QTS_GetString(CONTEXT, value);
	if (!text)
		return;
	console_write(text_at(text), strlen(text_at(text)));
	engine_QTS_FreeCString(CONTEXT, text);
}

void print_frames(const char *line, u32 skip)
{
	for (u32 number = 0, length; *line; number++, line += length) {
		if (number == skip + 32) {
			print("    ...\n");
			return;
		}
		for (length = 0; line[length] && line[length++] != '\n';)
			;
		if (number >= skip)
			console_write(line, length);
	}
}

/* An out-of-memory exception may be null: that is printed too. */
void print_error(u32 error)
{
	print_text(error);
	print("\n");
	if (tag_of(get64(error)) != TAG_OBJECT)
		return;
	u32 stack = property(error, "stack");
	u32 text = tag_of(get64(stack)) == TAG_STRING || tag_of(get64(stack)) == TAG_ROPE ? engine_QTS_GetString(CONTEXT, stack) : 0;
	if (text) {
		print_frames(text_at(text), 0);
		engine_QTS_FreeCString(CONTEXT, text);
	}
	drop(stack);
}
