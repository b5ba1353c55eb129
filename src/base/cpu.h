/* cpu.h - what this machine offers: instruction sets, caches, the processors that this process may
 * use. The probe is compiled without ISA flags, so that it cannot fault itself. */
#ifndef DP_BASE_CPU_H
#define DP_BASE_CPU_H

#include "base/status.h"

#include <stdbool.h>

typedef enum dp_isa {
    DP_ISA_PORTABLE,
    DP_ISA_AVX2,
    DP_ISA_AVX512,
    DP_ISA_NEON,
    DP_ISA_COUNT
} dp_isa;

/* "portable", "avx2", "avx512", "neon". */
const char *dp_isa_name(dp_isa isa);

/* Whether this build has kernels of that ISA, and this CPU and the operating system (which must
 * save the wide registers) can run them. avx2 means AVX2 + FMA + F16C; avx512 means those and F,
 * BW, DQ, VL. */
bool dp_isa_supported(dp_isa isa);

/* The ISA to use: DEEPER_ISA from the environment if set and not empty (an unknown or unsupported
 * name is an error that lists what can be had), else the best supported. */
deeper_status dp_isa_select(dp_isa *isa, deeper_error *error);

/* "NAME, family F model M, caches of 32, 1024, 32768 KB": what a measurement on this machine is
 * good for. ASCII without control bytes, always the same on one machine. Returns text. */
enum { DP_MACHINE_SIZE = 160 };
const char *dp_machine_text(char text[DP_MACHINE_SIZE]);

/* Bytes of data cache a core sees; 0 unknown. level 1..3. */
size_t dp_cache_bytes(int level);

/* The CPU quota of this process's cgroups (v1, v2), the least from its own up to the root, in
 * processors rounded up; 0: none. membership: /proc/self/cgroup; mount: /sys/fs/cgroup. */
int dp_quota_processors(const char *membership, const char *mount);

/* Processors this process may use: the affinity mask or the quota, whichever is less; at least
 * 1. */
int dp_processors(void);

enum { DP_THREADS_MAX = 256 };

/* Threads to use: `requested` if > 0, else DEEPER_THREADS, else OMP_NUM_THREADS (the first of a
 * list; ignored where that is no number of threads), else dp_processors() up to DP_THREADS_MAX.
 * Outside 1..DP_THREADS_MAX is an error that names the argument or DEEPER_THREADS. */
deeper_status dp_threads_select(int *threads, int requested, deeper_error *error);

/* Monotonic seconds. */
double dp_now(void);

#endif
