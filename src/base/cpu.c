/* cpu.c - the probe: instruction sets, cache sizes, processors and threads to use, the clock. Why
 * here: the one place that asks the machine; all else is told. The file is compiled without ISA
 * flags, so the probe itself runs everywhere; cpuid and xgetbv are written as assembly for the same
 * reason. */
#include "base/cpu.h"

#include "base/arithmetic.h"
#include "base/open.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ----------------------------------------------------------------------------- instruction sets */

/* What the build has kernels for: cmake/library.cmake defines these for the ISAs it compiles. */
#ifdef DP_HAVE_AVX2
#define BUILT_AVX2 true
#else
#define BUILT_AVX2 false
#endif
#ifdef DP_HAVE_AVX512
#define BUILT_AVX512 true
#else
#define BUILT_AVX512 false
#endif
#ifdef DP_HAVE_NEON
#define BUILT_NEON true
#else
#define BUILT_NEON false
#endif

static const struct {
    const char *name;
    bool built;
} isas[DP_ISA_COUNT] = {
    [DP_ISA_PORTABLE] = { "portable", true },
    [DP_ISA_AVX2] = { "avx2", BUILT_AVX2 },
    [DP_ISA_AVX512] = { "avx512", BUILT_AVX512 },
    [DP_ISA_NEON] = { "neon", BUILT_NEON },
};

#if defined(__x86_64__)

#define BIT(n) (UINT64_C(1) << (n))

typedef struct registers {
    uint32_t a, b, c, d;
} registers;

static registers cpuid(uint32_t leaf, uint32_t subleaf) {
    registers r;
    __asm__ volatile("cpuid"
                     : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

/* Register states that the operating system saves on a switch of threads. Only where cpuid says
 * OSXSAVE. */
static uint64_t xcr0(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static bool all_set(uint64_t value, uint64_t bits) {
    return (value & bits) == bits;
}

static bool cpu_has(dp_isa isa) {
    static const uint64_t fma_osxsave_avx_f16c =
        BIT(12) | BIT(27) | BIT(28) | BIT(29); /* leaf 1, ecx */
    static const uint64_t avx2 = BIT(5);       /* leaf 7, ebx */
    static const uint64_t avx512_f_dq_bw_vl =
        BIT(16) | BIT(17) | BIT(30) | BIT(31);       /* leaf 7, ebx */
    static const uint64_t xmm_ymm = BIT(1) | BIT(2); /* xcr0 */
    static const uint64_t opmask_zmm =
        BIT(5) | BIT(6) | BIT(7); /* xcr0: mask registers, upper halves of zmm0-15, zmm16-31 */
    if (cpuid(0, 0).a < 7 || !all_set(cpuid(1, 0).c, fma_osxsave_avx_f16c))
        return false;
    uint64_t saved = xcr0();
    uint64_t features = cpuid(7, 0).b;
    if (!all_set(saved, xmm_ymm) || !all_set(features, avx2))
        return false;
    return isa == DP_ISA_AVX2
           || (isa == DP_ISA_AVX512 && all_set(saved, opmask_zmm)
               && all_set(features, avx512_f_dq_bw_vl));
}

#elif defined(__aarch64__)

static bool cpu_has(dp_isa isa) {
    return isa == DP_ISA_NEON; /* part of the base architecture */
}

#else

static bool cpu_has(dp_isa isa) {
    return false;
}

#endif

const char *dp_isa_name(dp_isa isa) {
    return (unsigned)isa < DP_ISA_COUNT ? isas[isa].name : "unknown";
}

bool dp_isa_supported(dp_isa isa) {
    if (isa == DP_ISA_PORTABLE)
        return true;
    return (unsigned)isa < DP_ISA_COUNT && isas[isa].built && cpu_has(isa);
}

deeper_status dp_isa_select(dp_isa *isa, deeper_error *error) {
    static const dp_isa best_first[] = { DP_ISA_AVX512, DP_ISA_AVX2, DP_ISA_NEON, DP_ISA_PORTABLE };
    enum { COUNT = sizeof best_first / sizeof *best_first };
    const char *wanted = getenv("DEEPER_ISA");
    char available[64] = "";
    if (wanted && !*wanted)
        wanted = NULL;
    for (size_t i = 0; i < COUNT; i++) {
        if (!dp_isa_supported(best_first[i]))
            continue;
        const char *name = isas[best_first[i]].name;
        if (!wanted || strcmp(wanted, name) == 0) {
            *isa = best_first[i];
            return DEEPER_OK;
        }
        size_t used = strlen(available);
        snprintf(available + used, sizeof available - used, "%s%s", used ? ", " : "", name);
    }
    bool known = false;
    for (size_t i = 0; i < DP_ISA_COUNT; i++)
        known = known || strcmp(wanted, isas[i].name) == 0;
    return dp_fail(error, known ? DEEPER_ERROR_UNSUPPORTED : DEEPER_ERROR_ARGUMENT,
                   "DEEPER_ISA=%s: %s; this machine has: %s", wanted,
                   known ? "this CPU or this build does not have it" : "no such instruction set",
                   available);
}

/* --------------------------------------------------------------------------- small system files */

/* The first bytes of a file that the kernel makes up on reading, as text. False if it is not
 * there. */
static bool read_text(const char *path, char *text, size_t size) {
    struct stat status;
    const char *why;
    int file = dp_open(path, &status, &why);
    if (file < 0)
        return false;
    ssize_t got = read(file, text, size - 1);
    close(file);
    text[got > 0 ? got : 0] = '\0';
    return got > 0;
}

/* Reads "48K" or "2M". */
static size_t parse_bytes(const char *text) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
    if (end == text || errno || value > (SIZE_MAX >> shift))
        return 0;
    return (size_t)value << shift;
}

size_t dp_cache_bytes(int level) {
    /* The kernel's list has one folder a cache; there are never more than these. */
    for (int i = 0; i < 8; i++) {
        char path[96], text[32];
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/level", i);
        if (!read_text(path, text, sizeof text) || atoi(text) != level)
            continue;
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/type", i);
        if (!read_text(path, text, sizeof text) || strncmp(text, "Instruction", 11) == 0)
            continue;
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", i);
        if (read_text(path, text, sizeof text))
            return parse_bytes(text);
    }
    static const int names[] = { _SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE,
                                 _SC_LEVEL3_CACHE_SIZE };
    long bytes = level >= 1 && level <= 3 ? sysconf(names[level - 1]) : 0;
    return bytes > 0 ? (size_t)bytes : 0;
}

/* ---------------------------------------------------------------------------------- the machine */

enum { NAME_SIZE = 64 };

#if defined(__x86_64__)

/* The maker's name for the CPU, and family and model as the manuals put them together from leaf
 * 1. */
static void cpu_name(char name[NAME_SIZE], unsigned *family, unsigned *model) {
    registers leaf = cpuid(1, 0);
    *family = leaf.a >> 8 & 15;
    *model = (leaf.a >> 4 & 15) | (*family == 6 || *family == 15 ? leaf.a >> 12 & 0xf0 : 0);
    *family += *family == 15 ? leaf.a >> 20 & 255 : 0;
    for (uint32_t i = 0; i < 3; i++) {
        registers part =
            cpuid(0x80000000, 0).a >= 0x80000004 ? cpuid(0x80000002 + i, 0) : (registers){ 0 };
        memcpy(name + i * sizeof part, &part, sizeof part);
    }
    name[3 * sizeof(registers)] = '\0';
}

#else

/* What the kernel says of an ARM core: implementer, variant, part and revision in one number. */
static void cpu_name(char name[NAME_SIZE], unsigned *family, unsigned *model) {
    *family = *model = 0;
    if (!read_text("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1", name, NAME_SIZE))
        strcpy(name, "CPU");
}

#endif

const char *dp_machine_text(char text[DP_MACHINE_SIZE]) {
    char name[NAME_SIZE] = "";
    unsigned family, model;
    cpu_name(name, &family, &model);
    size_t begin = strspn(name, " "), end = strcspn(name, "\n");
    while (end > begin && name[end - 1] == ' ')
        end--;
    snprintf(text, DP_MACHINE_SIZE, "%.*s, family %u model %u, caches of %zu, %zu, %zu KB",
             (int)(end > begin ? end - begin : 0), name + begin, family, model,
             dp_cache_bytes(1) >> 10, dp_cache_bytes(2) >> 10, dp_cache_bytes(3) >> 10);
    for (char *c = text; *c; c++)
        *c = *c < ' ' || *c > '~' ? '?' : *c;
    return text;
}

/* ----------------------------------------------------------------------- processors and threads */

/* Processors in the affinity mask. The kernel refuses a mask smaller than its own; this one holds
 * 65536. */
static int affinity_processors(void) {
    cpu_set_t set[64];
    if (sched_getaffinity(0, sizeof set, set) == 0)
        return CPU_COUNT_S(sizeof set, set);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 && online < INT_MAX ? (int)online : 1;
}

/* The processors that one cgroup folder grants, rounded up: v2's cpu.max holds "QUOTA PERIOD" in
 * microseconds, v1 has a file for each. 0: no limit here ("max", -1, or no such file). */
static int folder_quota(const char *folder, bool v2) {
    char path[PATH_MAX + 32], quota_text[64], period_text[64];
    const char *quota = quota_text, *period = period_text;
    snprintf(path, sizeof path, "%s/%s", folder, v2 ? "cpu.max" : "cpu.cfs_quota_us");
    if (!read_text(path, quota_text, sizeof quota_text))
        return 0;
    if (v2) {
        period = strchr(quota, ' ');
    } else {
        snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
        period = read_text(path, period_text, sizeof period_text) ? period : NULL;
    }
    long long microseconds = strtoll(quota, NULL, 10),
              each = period ? strtoll(period, NULL, 10) : 0;
    if (microseconds <= 0 || each <= 0)
        return 0;
    long long whole = dp_ceil_div64(microseconds, each);
    return whole < INT_MAX ? (int)whole : INT_MAX;
}

/* The smaller of two limits of which 0 is none. */
static int smaller_limit(int a, int b) {
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* The least quota from the cgroup `group` ("/a/b") under `mount` up to the mount itself. Folders
 * that are not there are passed over: in a container the group may be named as the host sees it,
 * while the mount begins at the group. */
static int group_quota(const char *mount, const char *group, bool v2) {
    char folder[PATH_MAX];
    int length = snprintf(folder, sizeof folder, "%s%s", mount, group);
    if (length < 0 || (size_t)length >= sizeof folder)
        return 0;
    int quota = 0;
    for (size_t root = strlen(mount);; *strrchr(folder, '/') = '\0') {
        quota = smaller_limit(quota, folder_quota(folder, v2));
        if (strlen(folder) <= root)
            return quota;
    }
}

int dp_quota_processors(const char *membership, const char *mount) {
    /* Where systemd and container runtimes mount the hierarchies, below `mount`. */
    static const struct {
        const char *controllers, *folder;
        bool v2;
    } places[] = {
        { "", "", true },
        { "", "/unified", true },
        { "cpu", "/cpu", false },
        { "cpu", "/cpu,cpuacct", false },
        { "cpu,cpuacct", "/cpu,cpuacct", false },
        { "cpuacct,cpu", "/cpu,cpuacct", false },
    };
    char text[16384], *rest = NULL;
    int quota = 0;
    if (!read_text(membership, text, sizeof text))
        return 0;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *controllers = strchr(line, ':'); /* a line is ID:CONTROLLERS:GROUP */
        char *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group || group[1] != '/')
            continue;
        *controllers++ = *group++ = '\0';
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            char folder[PATH_MAX];
            snprintf(folder, sizeof folder, "%s%s", mount, places[i].folder);
            if (strcmp(controllers, places[i].controllers) == 0)
                quota = smaller_limit(quota, group_quota(folder, group, places[i].v2));
        }
    }
    return quota;
}

int dp_processors(void) {
    int count = smaller_limit(affinity_processors(),
                              dp_quota_processors("/proc/self/cgroup", "/sys/fs/cgroup"));
    return count > 0 ? count : 1;
}

/* The number of threads that a text begins with, which is all of it or the first of a list; 0: it
 * is none. */
static int threads_in(const char *text) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    bool number = end != text && (!*end || *end == ',') && !errno;
    return number && value >= 1 && value <= DP_THREADS_MAX ? (int)value : 0;
}

/* What the environment asks for; 0: nothing. OMP_NUM_THREADS is other programs': what is no number
 * of threads there says nothing to us. */
static deeper_status environment_threads(int *threads, deeper_error *error) {
    const char *ours = getenv("DEEPER_THREADS"), *others = getenv("OMP_NUM_THREADS");
    bool set = ours && *ours;
    *threads = set ? threads_in(ours) : others ? threads_in(others) : 0;
    if (set && *threads == 0)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "DEEPER_THREADS=%s: not a number of threads; set it to 1..%d or unset it",
                       ours, DP_THREADS_MAX);
    return DEEPER_OK;
}

deeper_status dp_threads_select(int *threads, int requested, deeper_error *error) {
    if (requested < 0 || requested > DP_THREADS_MAX)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "threads: %d is not possible; 1..%d are, or 0 for as many as the processors",
                       requested, DP_THREADS_MAX);
    int count = requested;
    if (count == 0)
        DP_TRY(environment_threads(&count, error));
    if (count == 0)
        count = dp_processors();
    *threads = dp_min(count, DP_THREADS_MAX);
    return DEEPER_OK;
}

double dp_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}
