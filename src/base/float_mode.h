/* float_mode.h - rounding, traps and denormals of the thread. Why here: results may not depend on
 * what the program around the library has set, and it must find again what it had. Threads that the
 * library starts inherit the mode of the thread that starts them, which is inside a public call. */
#ifndef DP_BASE_FLOAT_MODE_H
#define DP_BASE_FLOAT_MODE_H

#include <fenv.h>
#include <stdint.h>

/* The wall around a public call: puts the caller's whole environment (rounding, traps, flags, x87
 * and SSE) aside and goes on in the default one: to nearest, no traps, denormals kept. restore
 * brings it back with the flags as they were. */
void dp_float_save(fenv_t *caller);
void dp_float_restore(fenv_t *caller);

/* The mode of a run: round to nearest, no traps, denormals flushed where the CPU can. enter returns
 * the old mode; leave restores it. */
uint64_t dp_float_mode_enter(void);
void dp_float_mode_leave(uint64_t old);

#endif
