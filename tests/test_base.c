/* test_base.c - status, memory, random and cpu of the base floor. Files and threads have their own
 * tests. */
#include "base/cpu.h"
#include "base/memory.h"
#include "base/random.h"
#include "helpers/helpers.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

/* --------------------------------------------------------------------------------------- status */

static void test_version_and_texts(void **state) {
    char expected[32];
    snprintf(expected, sizeof expected, "%d.%d.%d", DEEPER_VERSION_MAJOR, DEEPER_VERSION_MINOR,
             DEEPER_VERSION_PATCH);
    assert_string_equal(deeper_version(), expected);
    for (int a = DEEPER_OK; a <= DEEPER_ERROR_NUMBER; a++) {
        assert_string_not_equal(deeper_status_text((deeper_status)a), "unknown status");
        for (int b = DEEPER_OK; b < a; b++)
            assert_string_not_equal(deeper_status_text((deeper_status)a),
                                    deeper_status_text((deeper_status)b));
    }
    assert_string_equal(deeper_status_text((deeper_status)(DEEPER_ERROR_NUMBER + 1)),
                        "unknown status");
    assert_string_equal(deeper_status_text((deeper_status)-1), "unknown status");
}

static void test_fail_fills_the_error(void **state) {
    deeper_error error = { 0 };
    assert_int_equal(dp_fail(NULL, DEEPER_ERROR_IO, "%s", "nobody listens"), DEEPER_ERROR_IO);
    assert_int_equal(dp_fail(&error, DEEPER_ERROR_FORMAT, "%s: %d", "a\nb\t\x7f.jpg", 7),
                     DEEPER_ERROR_FORMAT);
    assert_int_equal(error.status, DEEPER_ERROR_FORMAT);
    assert_int_equal(error.offset, -1);
    assert_string_equal(error.message, "a?b??.jpg: 7");
    dp_fail_at(&error, DEEPER_ERROR_FORMAT, INT64_C(1) << 40, "x");
    assert_true(error.offset == INT64_C(1) << 40);
    dp_fail(&error, DEEPER_ERROR_FORMAT, "outer: %s",
            error.message); /* its own message may be an argument */
    assert_string_equal(error.message, "outer: x");
    assert_int_equal(dp_fail_memory(&error, "the arena"), DEEPER_ERROR_MEMORY);
    assert_string_equal(error.message, "out of memory for the arena");
    errno = ENOENT;
    assert_int_equal(dp_fail_errno(&error, "x.jpg", "cannot open"), DEEPER_ERROR_IO);
    assert_string_equal(error.message, "x.jpg: cannot open: No such file or directory");
    errno = ENOMEM;
    assert_int_equal(dp_fail_errno(&error, "x.jpg", "cannot map"), DEEPER_ERROR_MEMORY);
}

/* A message that is too long is cut between characters: every length of ASCII before 3-byte letters
 * puts the cut elsewhere. */
static void test_fail_cuts_between_characters(void **state) {
    for (size_t lead = 0; lead < 3; lead++) {
        char text[900] = "";
        deeper_error error;
        memset(text, 'x', lead);
        while (strlen(text) + 3 < sizeof text)
            strcat(text, "\xEA\xB0\x80"); /* Hangul GA */
        dp_fail(&error, DEEPER_ERROR_IO, "%s", text);
        size_t length = strlen(error.message);
        assert_in_range(length, DEEPER_MESSAGE_SIZE - 3, DEEPER_MESSAGE_SIZE - 1);
        assert_int_equal((length - lead) % 3, 0);
        assert_memory_equal(error.message, text, length);
    }
    char fits[DEEPER_MESSAGE_SIZE];
    deeper_error error;
    memset(fits, 'y', sizeof fits - 1);
    fits[sizeof fits - 1] = '\0';
    dp_fail(&error, DEEPER_ERROR_IO, "%s", fits);
    assert_string_equal(error.message, fits);
}

static deeper_status fail_third(int *reached) {
    DP_TRY(DEEPER_OK);
    (*reached)++;
    DP_TRY(DEEPER_ERROR_LIMIT);
    (*reached)++;
    return DEEPER_OK;
}

static void test_try(void **state) {
    int reached = 0;
    assert_int_equal(fail_third(&reached), DEEPER_ERROR_LIMIT);
    assert_int_equal(reached, 1);
}

/* --------------------------------------------------------------------------------------- memory */

static void test_size_mul(void **state) {
    size_t result = 1;
    assert_true(dp_size_mul(SIZE_MAX, 1, &result) && result == SIZE_MAX);
    assert_true(dp_size_mul(0, SIZE_MAX, &result) && result == 0);
    assert_true(dp_size_mul(SIZE_MAX / 3, 3, &result) && result == SIZE_MAX / 3 * 3);
    assert_false(dp_size_mul(SIZE_MAX / 2 + 1, 2, &result));
    assert_false(dp_size_mul(SIZE_MAX, SIZE_MAX, &result));
}

static void test_alloc(void **state) {
    test_failing_allocator failing;
    test_failing_allocator_init(&failing, 0);
    const deeper_allocator *allocators[] = { NULL, &failing.allocator };
    for (int a = 0; a < 2; a++) {
        for (size_t count = 0; count < 200; count += 13) {
            unsigned char *bytes = dp_alloc(allocators[a], count, 3);
            assert_non_null(bytes);
            assert_int_equal((uintptr_t)bytes % DP_ALIGNMENT, 0);
            for (size_t i = 0; i < count * 3; i++)
                assert_int_equal(bytes[i], 0);
            dp_free(allocators[a], bytes);
        }
        assert_null(dp_alloc(allocators[a], SIZE_MAX / 2, 3));
        assert_null(dp_alloc_raw(allocators[a], SIZE_MAX, 2));
        dp_free(allocators[a], NULL);
        char *copy = dp_strdup(allocators[a], "고양이");
        assert_string_equal(copy, "고양이");
        dp_free(allocators[a], copy);
    }
    assert_int_equal(failing.outstanding, 0);
    test_failing_allocator_init(&failing, 1);
    assert_null(dp_alloc(&failing.allocator, 1, 1));
    test_failing_allocator_init(&failing, 1);
    assert_null(dp_strdup(&failing.allocator, "x"));
}

static void test_buffer_grows_to_its_limit(void **state) {
    enum { LIMIT = 1000 };
    dp_buffer buffer;
    test_failing_allocator failing;
    test_failing_allocator_init(&failing, 0);
    dp_buffer_init(&buffer, &failing.allocator, LIMIT);
    assert_true(dp_buffer_append(&buffer, "", 0));
    assert_string_equal(buffer.data, "");
    for (size_t i = 0; i < LIMIT / 10; i++) {
        assert_true(i % 2 ? dp_buffer_append(&buffer, "0123456789", 10)
                          : dp_buffer_printf(&buffer, "%05d%s", 1234, "56789"));
        assert_int_equal(buffer.data[buffer.size], 0);
    }
    assert_int_equal(buffer.size, LIMIT);
    for (size_t i = 0; i < LIMIT; i++)
        assert_int_equal(buffer.data[i], "0123456789"[i % 10]);
    assert_true(dp_buffer_append(&buffer, "", 0));
    assert_false(dp_buffer_append(&buffer, "x", 1));
    assert_int_equal(buffer.size, LIMIT);
    assert_true(buffer.failed);
    assert_false(dp_buffer_append(&buffer, "", 0)); /* sticks */
    assert_false(dp_buffer_printf(&buffer, "%s", ""));
    dp_buffer_free(&buffer);
    assert_true(buffer.data == NULL && buffer.size == 0 && !buffer.failed);
    assert_int_equal(failing.outstanding, 0);
}

static void test_buffer_keeps_what_it_had(void **state) {
    dp_buffer buffer;
    test_failing_allocator failing;
    test_failing_allocator_init(&failing, 2);
    dp_buffer_init(&buffer, NULL, SIZE_MAX); /* UINT32_MAX on 32 bits */
    assert_true(dp_buffer_append(&buffer, "kept", 4));
    dp_buffer_free(&buffer);
    dp_buffer_init(&buffer, &failing.allocator, SIZE_MAX / 2);
    assert_true(dp_buffer_append(&buffer, "kept", 4));
    char *big = calloc(1, 100000);
    assert_false(dp_buffer_append(&buffer, big, 100000));
    assert_string_equal(buffer.data, "kept");
    assert_int_equal(buffer.size, 4);
    assert_false(dp_buffer_append(&buffer, big, SIZE_MAX - 2)); /* no wrap-round */
    free(big);
    dp_buffer_free(&buffer);
    assert_int_equal(failing.outstanding, 0);
}

static void test_reserve(void **state) {
    test_failing_allocator failing;
    test_failing_allocator_init(&failing, 0);
    void *items = NULL;
    size_t capacity = 0;
    for (size_t need = 0; need < 300; need++) {
        size_t before = capacity;
        assert_true(dp_reserve(&failing.allocator, &items, &capacity, need, sizeof(int)));
        assert_true(capacity >= need);
        int *numbers = items;
        for (size_t i = before; i < capacity; i++) {
            assert_int_equal(numbers[i], 0);
            numbers[i] = (int)i * 7;
        }
    }
    for (size_t i = 0; i < capacity; i++)
        assert_int_equal(((int *)items)[i], (int)i * 7);
    assert_true(failing.calls < 10); /* by doubling */
    size_t before = capacity;
    void *old = items;
    assert_false(dp_reserve(&failing.allocator, &items, &capacity, SIZE_MAX / 2, sizeof(int)));
    failing.fail_at = failing.calls + 1;
    assert_false(dp_reserve(&failing.allocator, &items, &capacity, capacity + 1, sizeof(int)));
    assert_true(items == old && capacity == before);
    dp_free(&failing.allocator, items);
    assert_int_equal(failing.outstanding, 0);
}

/* --------------------------------------------------------------------------------------- random */

static void test_random_is_splitmix64(void **state) {
    /* The first outputs of splitmix64 for the seed 1234567, as its authors' C code gives them. */
    static const uint64_t expected[] = {
        UINT64_C(6457827717110365317), UINT64_C(3203168211198807973), UINT64_C(9817491932198370423),
        UINT64_C(4593380528125082431), UINT64_C(16408922859458223821)
    };
    dp_random random = { .key = 1234567, .counter = 0 };
    for (size_t i = 0; i < 5; i++)
        assert_true(dp_random_u64(&random) == expected[i]);
    dp_random later = { .key = 1234567, .counter = 3 }; /* from the middle */
    assert_true(dp_random_u64(&later) == expected[3]);
}

static void test_random_streams_differ(void **state) {
    uint64_t first[4 * 4 * 4];
    size_t count = 0;
    for (uint64_t seed = 0; seed < 4; seed++)
        for (uint64_t a = 0; a < 4; a++)
            for (uint64_t b = 0; b < 4; b++) {
                dp_random random = dp_random_at(seed, a, b), again = dp_random_at(seed, a, b);
                first[count] = dp_random_u64(&random);
                assert_true(dp_random_u64(&again) == first[count]);
                for (size_t i = 0; i < count; i++)
                    assert_true(first[i] != first[count]);
                count++;
            }
}

/* Statistics of fixed seeds: the bounds are 5 standard errors of n independent draws. */
static void test_random_distributions(void **state) {
    enum { N = 200000 };
    dp_random random = dp_random_at(1, 2, 3);
    double sum = 0, squares = 0, fourth = 0, units = 0;
    int below[10] = { 0 }, high = 0;
    for (int i = 0; i < N; i++) {
        double x = dp_random_normal(&random);
        float u = dp_random_unit(&random);
        uint32_t k = dp_random_below(&random, 10);
        assert_true(isfinite(x) && u >= 0 && u < 1 && k < 10);
        sum += x, squares += x * x, fourth += x * x * x * x, units += u;
        below[k]++;
        high += dp_random_below(&random, UINT32_C(3) << 30)
                >= UINT32_C(1) << 30; /* a biased draw would give 1/2, not 2/3 */
        assert_int_equal(dp_random_below(&random, 1), 0);
    }
    double se = 1 / sqrt(N);
    assert_true(fabs(sum / N) < 5 * se);                         /* deviation 1 */
    assert_true(fabs(squares / N - 1) < 5 * sqrt(2) * se);       /* Var x^2 = 2 */
    assert_true(fabs(fourth / N - 3) < 5 * sqrt(96) * se);       /* Var x^4 = 105 - 9 */
    assert_true(fabs(units / N - 0.5) < 5 * sqrt(1. / 12) * se); /* Var u = 1/12 */
    assert_true(fabs(high / (double)N - 2. / 3) < 5 * sqrt(2. / 9) * se);
    for (int k = 0; k < 10; k++)
        assert_true(fabs(below[k] / (double)N - 0.1) < 5 * sqrt(0.09) * se);
}

/* ------------------------------------------------------------------------------------------ cpu */

static void test_isa_names(void **state) {
    static const char *const names[DP_ISA_COUNT] = { "portable", "avx2", "avx512", "neon" };
    for (int i = 0; i < DP_ISA_COUNT; i++)
        assert_string_equal(dp_isa_name((dp_isa)i), names[i]);
    assert_string_equal(dp_isa_name(DP_ISA_COUNT), "unknown");
    assert_false(dp_isa_supported(DP_ISA_COUNT));
}

/* Against the compiler's own probe, which looks at XCR0 too. */
static void test_isa_supported(void **state) {
    assert_true(dp_isa_supported(DP_ISA_PORTABLE));
#if defined(__x86_64__)
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
                  && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    assert_int_equal(dp_isa_supported(DP_ISA_AVX2), avx2);
    assert_int_equal(dp_isa_supported(DP_ISA_AVX512), avx512);
    assert_false(dp_isa_supported(DP_ISA_NEON));
#elif defined(__aarch64__)
    assert_true(dp_isa_supported(DP_ISA_NEON));
    assert_false(dp_isa_supported(DP_ISA_AVX2));
#endif
}

static void test_isa_select(void **state) {
    static const dp_isa best_first[] = { DP_ISA_AVX512, DP_ISA_AVX2, DP_ISA_NEON, DP_ISA_PORTABLE };
    size_t best = 0;
    while (!dp_isa_supported(best_first[best]))
        best++;
    deeper_error error;
    dp_isa isa = DP_ISA_COUNT;
    unsetenv("DEEPER_ISA");
    assert_int_equal(dp_isa_select(&isa, &error), DEEPER_OK);
    assert_int_equal(isa, best_first[best]);
    setenv("DEEPER_ISA", "", 1);
    assert_int_equal(dp_isa_select(&isa, &error), DEEPER_OK);
    assert_int_equal(isa, best_first[best]);
    for (int i = 0; i < DP_ISA_COUNT; i++) {
        setenv("DEEPER_ISA", dp_isa_name((dp_isa)i), 1);
        if (dp_isa_supported((dp_isa)i)) {
            assert_int_equal(dp_isa_select(&isa, &error), DEEPER_OK);
            assert_int_equal(isa, i);
        } else {
            assert_int_equal(dp_isa_select(&isa, &error), DEEPER_ERROR_UNSUPPORTED);
            assert_non_null(strstr(error.message, dp_isa_name((dp_isa)i)));
        }
    }
    setenv("DEEPER_ISA", "avx9", 1);
    assert_int_equal(dp_isa_select(&isa, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "DEEPER_ISA=avx9"));
    assert_non_null(strstr(error.message, dp_isa_name(best_first[best])));
    assert_non_null(strstr(error.message, "portable"));
    unsetenv("DEEPER_ISA");
}

static void test_cache_bytes(void **state) {
    assert_int_equal(dp_cache_bytes(0), 0);
    assert_int_equal(dp_cache_bytes(-1), 0);
    for (int level = 1; level <= 3;
         level++) { /* known or not; if known, a power of two times a small number of kilobytes */
        size_t bytes = dp_cache_bytes(level);
        assert_int_equal(bytes % 1024, 0);
        assert_true(bytes < (size_t)1 << 34);
    }
}

static void quota_case(const char *root, const char *membership, int expected) {
    char path[TEST_PATH_SIZE];
    test_path(path, root, "membership");
    test_write(path, membership, strlen(membership));
    assert_int_equal(dp_quota_processors(path, root), expected);
}

static void put(const char *root, const char *name, const char *text) {
    char path[TEST_PATH_SIZE];
    test_path(path, root, name);
    for (char *slash = strchr(path + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    test_write(path, text, strlen(text));
}

static void test_quota(void **state) {
    char *root = test_folder();
    assert_int_equal(dp_quota_processors("/nowhere/cgroup", root), 0);
    quota_case(root, "0::/a/b\n", 0); /* no such folders */
    put(root, "a/b/cpu.max", "max 100000\n");
    quota_case(root, "0::/a/b\n", 0);
    put(root, "a/cpu.max", "250000 100000\n"); /* an outer limit holds within; 2.5 is rounded up */
    quota_case(root, "0::/a/b\n", 3);
    quota_case(root, "0::/a\n", 3);
    quota_case(root, "0::/\n", 0);
    put(root, "a/b/cpu.max", "200000 100000\n");
    quota_case(root, "0::/a/b\n", 2);
    quota_case(root, "0::/a/b/gone\n", 2);
    put(root, "cpu.max", "50000 100000\n");
    quota_case(root, "0::/a/b\n", 1);
    quota_case(root, "0::/\n", 1);
    put(root, "cpu.max", "900000 100000\n");
    put(root, "cpu,cpuacct/c/cpu.cfs_quota_us", "-1\n");
    put(root, "cpu,cpuacct/c/cpu.cfs_period_us", "100000\n");
    quota_case(root, "5:memory:/x\n3:cpu,cpuacct:/c\n0::/\n", 9);
    put(root, "cpu,cpuacct/c/cpu.cfs_quota_us", "400001\n");
    quota_case(root, "5:memory:/x\n3:cpu,cpuacct:/c\n0::/\n", 5);
    quota_case(root, "5:cpuset:/c\n0::/\n", 9);       /* cpuset is not cpu */
    put(root, "cpu/host/id/cpu.cfs_quota_us", "1\n"); /* not this group */
    put(root, "cpu/cpu.cfs_quota_us", "150000\n"); /* a container: the mount begins at the group */
    put(root, "cpu/cpu.cfs_period_us", "100000\n");
    quota_case(root, "3:cpu:/docker/0123\n", 2);
    static const char *const odd[] = { "", "nonsense", "0", "::", "0::", "0::x", "cpu.max\n\n\n" };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        quota_case(root, odd[i], 0);
    static const char *const odd_quotas[] = {
        "", "max", "100000", "-5 100000", "100000 0", "x y", "99999999999999999999 0"
    };
    for (size_t i = 0; i < sizeof odd_quotas / sizeof *odd_quotas; i++) {
        put(root, "cpu.max", odd_quotas[i]);
        quota_case(root, "0::/\n", 0);
    }
    test_folder_remove(root);
}

static void test_processors_follow_affinity(void **state) {
    cpu_set_t all, one;
    assert_true(dp_processors() >= 1);
    if (sched_getaffinity(0, sizeof all, &all) != 0)
        skip();
    assert_true(dp_processors() <= CPU_COUNT(&all));
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    int processors = dp_processors();
    sched_setaffinity(0, sizeof all, &all);
    assert_int_equal(processors, 1);
}

static void test_threads_select(void **state) {
    deeper_error error;
    int threads = 0;
    unsetenv("DEEPER_THREADS");
    unsetenv("OMP_NUM_THREADS");
    assert_int_equal(dp_threads_select(&threads, 0, &error), DEEPER_OK);
    assert_int_equal(threads, dp_processors() < DP_THREADS_MAX ? dp_processors() : DP_THREADS_MAX);
    setenv("OMP_NUM_THREADS", "5,2", 1);
    assert_int_equal(dp_threads_select(&threads, 0, &error), DEEPER_OK);
    assert_int_equal(threads, 5);
    setenv("DEEPER_THREADS", "7", 1);
    assert_int_equal(dp_threads_select(&threads, 0, &error), DEEPER_OK);
    assert_int_equal(threads, 7);
    assert_int_equal(dp_threads_select(&threads, DP_THREADS_MAX, &error), DEEPER_OK);
    assert_int_equal(threads, DP_THREADS_MAX);
    static const int bad_requests[] = { -1, INT_MIN, DP_THREADS_MAX + 1, INT_MAX };
    for (size_t i = 0; i < sizeof bad_requests / sizeof *bad_requests; i++)
        assert_int_equal(dp_threads_select(&threads, bad_requests[i], &error),
                         DEEPER_ERROR_ARGUMENT);
    static const char *const bad[] = { "0",   "-2", "257", "99999999999999999999",
                                       "two", "2x", " ",   "1.5" };
    unsetenv("OMP_NUM_THREADS");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setenv("DEEPER_THREADS", bad[i], 1);
        assert_int_equal(dp_threads_select(&threads, 0, &error), DEEPER_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, "DEEPER_THREADS"));
        assert_int_equal(dp_threads_select(&threads, 3, &error), DEEPER_OK); /* not asked */
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad;
         i++) { /* foreign words are not ours to judge */
        unsetenv("DEEPER_THREADS");
        setenv("OMP_NUM_THREADS", bad[i], 1);
        threads = 0;
        assert_int_equal(dp_threads_select(&threads, 0, &error), DEEPER_OK);
        assert_int_equal(threads,
                         dp_processors() < DP_THREADS_MAX ? dp_processors() : DP_THREADS_MAX);
        setenv("DEEPER_THREADS", "2", 1);
        assert_int_equal(dp_threads_select(&threads, 0, &error), DEEPER_OK);
        assert_int_equal(threads, 2);
    }
    unsetenv("DEEPER_THREADS");
    unsetenv("OMP_NUM_THREADS");
}

static void test_now(void **state) {
    double before = dp_now();
    for (int i = 0; i < 1000; i++) {
        double after = dp_now();
        assert_true(after >= before);
        before = after;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_and_texts),
        cmocka_unit_test(test_fail_fills_the_error),
        cmocka_unit_test(test_fail_cuts_between_characters),
        cmocka_unit_test(test_try),
        cmocka_unit_test(test_size_mul),
        cmocka_unit_test(test_alloc),
        cmocka_unit_test(test_buffer_grows_to_its_limit),
        cmocka_unit_test(test_buffer_keeps_what_it_had),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_random_is_splitmix64),
        cmocka_unit_test(test_random_streams_differ),
        cmocka_unit_test(test_random_distributions),
        cmocka_unit_test(test_isa_names),
        cmocka_unit_test(test_isa_supported),
        cmocka_unit_test(test_isa_select),
        cmocka_unit_test(test_cache_bytes),
        cmocka_unit_test(test_quota),
        cmocka_unit_test(test_processors_follow_affinity),
        cmocka_unit_test(test_threads_select),
        cmocka_unit_test(test_now),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
