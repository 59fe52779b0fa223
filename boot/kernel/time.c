/*
 * Time by Xen's paravirtual clock (xen.h: vcpu_time_info): the TSC, scaled by what the shared page says. No hypercall, and no
 * trap on hardware.
 */
#include "xen.h"

#define BARRIER() __asm__ volatile("" ::: "memory")

static u64 entry_ns;		/* time_system() minus this is the time since entry */
static u64 latest, suspended_at;
static u64 wall_correction;	/* modulo 2^64: what the program knows better than Xen */

/* Xen makes the version odd while it changes the values. */
static u64 from_tsc(bool now, u64 tsc)
{
	volatile struct vcpu_time *t = (volatile struct vcpu_time *)&shared_info->vcpu[0].time;
	u64 ns;
	u32 version;
	do {
		version = t->version;
		BARRIER();
		s64 ticks = (now ? rdtsc() : tsc) - t->tsc;	/* negative for a time before the last update */
		u64 size = ticks < 0 ? -ticks : ticks;
		size = t->shift < 0 ? size >> -t->shift : size << t->shift;
		size = (unsigned __int128)size * t->mul >> 32;
		ns = t->system_ns + (ticks < 0 ? -size : size);
		BARRIER();
	} while (version & 1 || version != t->version);
	return ns;
}

u64 time_system(void) { return from_tsc(true, 0); }
u64 time_at(u64 tsc) { return from_tsc(false, tsc) - time_of_entry(); }

u64 time_of_entry(void)
{
	if (!entry_ns)
		entry_ns = from_tsc(false, entry_tsc);
	return entry_ns;
}

u64 time_since_entry(void)
{
	u64 now = time_system() - time_of_entry();
	if ((s64)(now - latest) > 0)
		latest = now;
	return latest;
}

u64 time_latest(void) { return latest; }

u64 time_wall(void)
{
	u64 ns;
	u32 version;
	do {
		version = shared_info->wall_version;
		BARRIER();
		ns = ((u64)shared_info->wall_sec_high << 32 | shared_info->wall_sec) * 1000000000ul + shared_info->wall_nsec;
		BARRIER();
	} while (version & 1 || version != shared_info->wall_version);
	return ns + time_system() + wall_correction;
}

void time_set_wall(u64 ns) { wall_correction += ns - time_wall(); }

/*
 * The time since entry stands still while the domain is suspended, in its own world and on the way into another, where the system time
 * is another. The wall clock goes on by itself; what was known better than Xen of one world says nothing of the next.
 */
void time_suspend(void) { suspended_at = time_since_entry(); }

void time_resume(bool new_world)
{
	entry_ns = time_system() - suspended_at;
	if (new_world)
		wall_correction = 0;
}

/* Gregorian date of a Unix time. Years are counted from March, so that the leap day is the last of a year; 400 years repeat. */
struct date date_of(s64 seconds)
{
	s64 days = seconds / 86400, rest = seconds % 86400;
	if (rest < 0)
		rest += 86400, days--;
	s64 since = days + 719468;	/* 0000-03-01 */
	s64 era = (since >= 0 ? since : since - 146096) / 146097;
	u32 day = since - era * 146097;
	u32 year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	u32 of_year = day - (365 * year + year / 4 - year / 100);
	u32 month = (5 * of_year + 2) / 153;
	return (struct date){
		.year = year + era * 400 + (month >= 10), .month = month < 10 ? month + 3 : month - 9,
		.day = of_year - (153 * month + 2) / 5 + 1,
		.hour = rest / 3600, .minute = rest / 60 % 60, .second = rest % 60,
		.weekday = (days % 7 + 11) % 7,
	};
}
