/*
 * WebAssembly at run time: instances, memories, tables and globals, and calls between JavaScript and compiled modules. Linked into images that
 * have modules only, beside them (boot/wasm/link.ts); the kernel calls it through the table of `wasm`, it calls the kernel by names.
 *
 * What exists outside of JavaScript lies in slots: 1 GiB of addresses each, of which the pages in use have frames. Neither the engine nor a
 * module can reach them: they hold native addresses. Memories of modules lie in the I/O area, so that JavaScript sees them as ArrayBuffers.
 */
#include "wasm-rt.h"
#undef memcpy
#undef memmove
#undef memset
#ifdef KERNEL_HEADERS	/* wasm.test.ts compares */
#include "js.h"
#define engine_context() snapshot->context
_Static_assert(offsetof(struct snapshot, context) == 28, "kernel-interface.h");
#else
#include "kernel-interface.h"
#endif
_Static_assert(sizeof(struct arg) == 24 && offsetof(struct arg, bytes) == 8 && offsetof(struct arg, length) == 16 && offsetof(struct arg, value) == 20,
	"struct arg is the kernel's");

#define BASE 0xffffc00000000000ul	/* slot 0: struct state */
#define SPAN (1ul << 30)
#define SLOTS 4096
#define WASM_PAGE 65536u
#define MOST_PAGES 16384u		/* of a memory: half of the I/O area */
#define MOST_ENTRIES 10000000u		/* of a table, as in V8 */
#define VALUES 1000			/* parameters, or results, of a function at most */

struct entry { u64 stack; struct entry *outer; };
struct state {
	u32 used;			/* slots */
	u32 generation;			/* counts what has grown: views of JavaScript are stale */
	u64 *values;			/* where JavaScript and modules exchange what they pass: VALUES, then the call of an import */
	u32 importer;			/* JSValue*, the function that calls imports */
	u32 thrown;			/* JSValue* that an import has thrown */
	struct entry *entry;		/* the innermost call of JavaScript */
};
#define STATE ((struct state *)BASE)
/* Behind the values: what import is called, and generation. */
enum { AT_INSTANCE = VALUES, AT_IMPORT, AT_GENERATION, VALUE_WORDS };

struct object {
	u32 kind, pages;		/* pages of the slot that have frames */
	const struct wasm_module *module;
	union { wasm_rt_memory_t memory; wasm_rt_funcref_table_t table; u64 global; };
	void *imports[];		/* of an instance; the instance itself follows */
};
struct table { u32 (*run)(const struct table *, const struct arg *); u64 count; struct { u32 hash[2]; const struct wasm_module *module; } rows[]; };

/* ---- slots ---- */

static struct object *slot(u32 id) { return (struct object *)(BASE + id * SPAN); }
static u32 id_of(const void *inside) { return ((u64)inside - BASE) / SPAN; }
static void *instance_of(struct object *o) { return (void *)(((u64)&o->imports[o->module->import_count] + 15) & ~15ul); }

/* Gives the pages of a slot up to `bytes` frames; false when there are not enough. */
static bool extend(u64 start, u32 *pages, u64 bytes)
{
	u64 wanted = (bytes + PAGE - 1) / PAGE;
	if (wanted > *pages && frames_available() < wanted - *pages + (wanted - *pages) / 512 + 4)
		return false;
	for (; *pages < wanted; ++*pages) {
		u64 *entry = pte(start + *pages * PAGE, true);
		if (entry && *entry & PTE_PRESENT)	/* of an attempt that failed */
			continue;
		u64 frame = entry ? frame_alloc() : 0;
		if (!frame)
			return false;
		*entry = frame | PTE_DATA;
	}
	return true;
}

static bool begin(void)
{
	u64 *first = pte(BASE, false);
	u32 pages = 0;
	return (first && *first & PTE_PRESENT) || extend(BASE, &pages, PAGE);
}

static struct object *new_object(u32 kind, u64 bytes)
{
	u32 pages = 0;
	if (!begin() || STATE->used + 1 >= SLOTS || bytes > SPAN / 2 || !extend((u64)slot(STATE->used + 1), &pages, bytes))
		return NULL;
	struct object *o = slot(++STATE->used);
	o->kind = kind;
	o->pages = pages;
	return o;
}

/* ---- memories ---- */

static u32 linear_of(const wasm_rt_memory_t *m) { return (u64)m->data - LINEAR_BASE; }

static bool allocate(wasm_rt_memory_t *m, u32 pages, u32 most)
{
	u32 address = pages && pages <= MOST_PAGES ? io_alloc(pages * 16) : 0;
	if (pages && !address)
		return false;
	*m = (wasm_rt_memory_t){ address ? (u8 *)LINEAR_BASE + address : NULL, pages, most < MOST_PAGES ? most : MOST_PAGES, pages * WASM_PAGE };
	return true;
}

u32 wasm_rt_grow_memory(wasm_rt_memory_t *m, u32 more)
{
	wasm_rt_memory_t old = *m;
	if (!more)
		return old.pages;
	if (more > old.max_pages || old.pages + more > old.max_pages || !allocate(m, old.pages + more, old.max_pages))
		return ~0u;
	if (old.pages) {
		memcpy(m->data, old.data, old.size);
		io_free(linear_of(&old), old.size);
	}
	STATE->generation++;
	return old.pages;
}

/* ---- tables ---- */

/* Rows have a slot of their own. */
static bool resize(wasm_rt_funcref_table_t *t, u32 size)
{
	u64 bytes = sizeof(struct object) + (u64)size * sizeof *t->data;
	if (size > t->max_size)
		return false;
	struct object *rows = t->data ? slot(id_of(t->data)) : new_object(WASM_FUNCTION, bytes);
	if (!rows || !extend((u64)rows, &rows->pages, bytes))
		return false;
	t->data = (wasm_rt_funcref_t *)(rows + 1);
	t->size = size;
	return true;
}

u32 wasm_rt_grow_funcref_table(wasm_rt_funcref_table_t *t, u32 more, wasm_rt_funcref_t filling)
{
	u32 old = t->size;
	if ((u64)old + more > t->max_size || !resize(t, old + more))
		return ~0u;
	for (u32 i = old; i < t->size; i++)
		t->data[i] = filling;
	return old;
}

/* ---- calls ---- */

/* u32 enter(struct entry *, void (*function)(void *, u64 *), void *instance, u64 *values): 0, or what leave(entry, code) says. */
u32 enter(struct entry *, void (*)(void *, u64 *), void *, u64 *);
_Noreturn void leave(struct entry *, u32 code);
__asm__(
	"	.text\n"
	"enter:	push %rbx\n	push %rbp\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n	sub $8, %rsp\n"
	"	mov %rsp, (%rdi)\n	mov %rsi, %rax\n	mov %rdx, %rdi\n	mov %rcx, %rsi\n"
	"	call *%rax\n	xor %eax, %eax\n"
	"1:	add $8, %rsp\n	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbp\n	pop %rbx\n	ret\n"
	"leave:	mov (%rdi), %rsp\n	mov %esi, %eax\n	jmp 1b\n");

void wasm_rt_trap(wasm_rt_trap_t code) { leave(STATE->entry, code); }

void wasm_rt_allocate_memory(wasm_rt_memory_t *m, u32 pages, u32 most)
{
	if (!allocate(m, pages, most))
		wasm_rt_trap(WASM_NO_MEMORY);
}

void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *t, u32 size, u32 most)
{
	t->max_size = most < MOST_ENTRIES ? most : MOST_ENTRIES;
	if (!resize(t, size))
		wasm_rt_trap(WASM_NO_MEMORY);
}

void *wasm_imported(void *instance, u32 index) { return slot(id_of(instance))->imports[index]; }

void wasm_call_import(void *instance, u32 index, u64 *values, u32 params, u32 results)
{
	struct state *s = STATE;
	struct entry *entry = s->entry;
	u64 *shared = s->values;
	u32 importer = s->importer, context = engine_context();
	memcpy(shared, values, params * 8);
	shared[AT_INSTANCE] = id_of(instance);
	shared[AT_IMPORT] = index;
	shared[AT_GENERATION] = s->generation;
	u32 result = engine_QTS_Call(context, importer, engine_QTS_GetUndefined(), 0, 0);
	u32 thrown = engine_QTS_ResolveException(context, result);
	engine_QTS_FreeValuePointer(context, result);
	s->entry = entry, s->values = shared, s->importer = importer;
	if (thrown) {
		s->thrown = thrown;
		wasm_rt_trap(WASM_THROWN);
	}
	memcpy(values, shared, results * 8);
}

/* What JavaScript called ends with. Throws what an import has thrown. */
static u32 call_export(struct object *o, void (*function)(void *, u64 *), const struct arg *values, const struct arg *importer)
{
	struct state *s = STATE;
	if (values->length < VALUE_WORDS * 8 || (u64)values->bytes & 7)
		return range_error("values has %u bytes; it must have %u, aligned", values->length, VALUE_WORDS * 8), 0;
	struct state outer = *s;
	struct entry entry = { 0, s->entry };
	s->entry = &entry;
	s->values = (u64 *)values->bytes;
	s->importer = importer->value;
	u32 code = enter(&entry, function, instance_of(o), s->values);
	((u64 *)values->bytes)[AT_GENERATION] = s->generation;
	s->entry = outer.entry, s->values = outer.values, s->importer = outer.importer;
	if (code == WASM_RT_TRAP_EXHAUSTION)
		stack_at_rest();	/* all below is dead: if pages of it were refused, JavaScript would have no calls left */
	if (code != WASM_THROWN)
		return new_number(code);
	u32 result = engine_QTS_Throw(engine_context(), s->thrown);
	engine_QTS_FreeValuePointer(engine_context(), s->thrown);
	return result;
}

static void start(void *instance, u64 *values) { slot(id_of(instance))->module->start(instance); }

/* ---- what JavaScript asks for (runtime/web/webassembly/native.ts) ---- */

enum op { FIND, NEW_INSTANCE, START, CALL, NEW_MEMORY, BUFFER, GROW, NEW_TABLE, TABLE_SIZE, TABLE_GET, TABLE_SET, TABLE_GROW, NEW_GLOBAL, GLOBAL_GET, GLOBAL_SET, OPS };

static struct object *object(u32 id, u32 kind)
{
	if (begin() && id && id <= STATE->used && slot(id)->kind == kind)
		return slot(id);
	range_error("there is no object %u of kind %u", id, kind);
	return NULL;
}

/* A memory, table or global: an object of its own, or one that an instance exports. NULL, and the call throws, when it is none. */
static void *external(u64 handle, u32 kind)
{
	u32 id = handle >> 16, index = handle & 0xffff;
	if (!begin() || !id || id > STATE->used)
		return range_error("there is no object %u", id), NULL;
	struct object *o = slot(id);
	if (o->kind == WASM_INSTANCE && index < o->module->external_count && o->module->externals[index].kind == kind)
		return o->module->externals[index].address(instance_of(o));
	if (o->kind != kind || index)
		return range_error("object %u has no external %u of kind %u", id, index, kind), NULL;
	return kind == WASM_MEMORY ? (void *)&o->memory : kind == WASM_TABLE ? (void *)&o->table : &o->global;
}

static const struct wasm_function *function_of(struct object *o, u64 index)
{
	if (o && index < o->module->function_count)
		return &o->module->functions[index];
	if (o)
		range_error("instance %u has no function %lu", id_of(o), index);
	return NULL;
}

static u32 new_instance(const struct wasm_module *module, const struct arg *values)
{
	const u64 *handles = (const u64 *)values->bytes;
	if (values->length / 8 < module->import_count || (u64)handles & 7)
		return range_error("%u bytes are not %u imports", values->length, module->import_count), 0;
	for (u32 i = 0; i < module->import_count; i++)
		if (!external(handles[i], module->imports[i]))
			return 0;
	struct object *o = new_object(WASM_INSTANCE, sizeof *o + module->import_count * sizeof(void *) + 16 + module->instance_bytes);
	if (!o)
		return 0;
	o->module = module;
	for (u32 i = 0; i < module->import_count; i++)
		o->imports[i] = external(handles[i], module->imports[i]);
	return id_of(o);
}

/* A row of a table as a number: 0 for null, else instance and function; and back. ~0: a function that nobody outside can have. */
static u64 number_of_row(const wasm_rt_funcref_t *row)
{
	if (!row->func)
		return 0;
	struct object *o = slot(id_of(row->module_instance));
	for (u32 i = 0; i < o->module->function_count; i++)
		if (o->module->functions[i].function == row->func)
			return (u64)id_of(o) << 32 | i;
	return ~0ul;
}

static bool row_of(u64 number, wasm_rt_funcref_t *row)
{
	*row = wasm_rt_funcref_null_value;
	if (!number)
		return true;
	struct object *o = object(number >> 32, WASM_INSTANCE);
	const struct wasm_function *f = function_of(o, (u32)number);
	if (f)
		*row = (wasm_rt_funcref_t){ f->type, f->function, instance_of(o) };
	return f;
}

static u64 table_op(enum op op, wasm_rt_funcref_table_t *t, u64 index, u64 *value)
{
	wasm_rt_funcref_t row;
	if (op == TABLE_SIZE)
		return t->size;
	if (op == TABLE_GROW)
		return row_of(*value, &row) ? wasm_rt_grow_funcref_table(t, index, row) : 0;
	if (index >= t->size)
		return range_error("index %lu is outside of a table of %u", index, t->size), 0;
	if (op == TABLE_GET)
		*value = number_of_row(&t->data[index]);
	else if (row_of(*value, &row))
		t->data[index] = row;
	return 0;
}

static u32 new_external(u32 kind, u64 size, u64 most)
{
	struct object *o = new_object(kind, sizeof *o);
	if (!o)
		return 0;
	if (kind == WASM_TABLE)
		o->table.max_size = most < MOST_ENTRIES ? most : MOST_ENTRIES;
	if (kind == WASM_MEMORY ? !allocate(&o->memory, size, most) : kind == WASM_TABLE && !resize(&o->table, size))
		return 0;
	return id_of(o);
}

static u32 buffer(wasm_rt_memory_t *m) { return m && m->size ? new_buffer(linear_of(m), m->size) : 0; }

u32 wasm_run(const struct table *table, const struct arg *a)
{
	enum op op = whole(&a[0], "op", OPS - 1);
	u64 target = failed() ? 0 : whole(&a[1], "target", 0xffffffff), detail = failed() ? 0 : whole(&a[2], "detail", 0xffffffff);
	u64 *value = (u64 *)a[3].bytes;
	if (!failed() && (a[3].length < 8 || (u64)value & 7))
		range_error("values has %u bytes; it must have 8 at least, aligned", a[3].length);
	if (failed())
		return 0;
	switch (op) {
	case FIND:
		for (u64 i = 0; i < table->count; i++)
			if (table->rows[i].hash[0] == target && table->rows[i].hash[1] == detail)
				return new_number(i);
		return range_error("this image has no module %08lx%08lx", target, detail), 0;
	case NEW_INSTANCE:
		if (target >= table->count)
			return range_error("there is no module %lu", target), 0;
		return new_number(new_instance(table->rows[target].module, &a[3]));
	case START:
	case CALL: {
		struct object *o = object(target, WASM_INSTANCE);
		if (op == START)
			return o ? call_export(o, start, &a[3], &a[4]) : 0;
		const struct wasm_function *f = function_of(o, detail);
		return f ? call_export(o, f->call, &a[3], &a[4]) : 0;
	}
	case NEW_MEMORY:
		return new_number(new_external(WASM_MEMORY, target, detail));
	case NEW_TABLE:
		return new_number(new_external(WASM_TABLE, target, detail));
	case NEW_GLOBAL:
		return new_number(new_external(WASM_GLOBAL, 0, 0));
	case BUFFER:
		return buffer(external(target, WASM_MEMORY));
	case GROW: {
		wasm_rt_memory_t *m = external(target, WASM_MEMORY);
		return m ? new_number((s32)wasm_rt_grow_memory(m, detail)) : 0;
	}
	case TABLE_SIZE: case TABLE_GET: case TABLE_SET: case TABLE_GROW: {
		wasm_rt_funcref_table_t *t = external(target, WASM_TABLE);
		return t ? new_number((s32)table_op(op, t, detail, value)) : 0;
	}
	case GLOBAL_GET: case GLOBAL_SET: {
		u64 *global = external(target, WASM_GLOBAL);
		if (global)
			op == GLOBAL_GET ? (*value = *global) : (*global = *value);
		return 0;
	}
	default:
		return 0;
	}
}
