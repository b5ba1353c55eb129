/* test_threads.c - the pool and the floating-point mode. Run it under ThreadSanitizer too: plain
 * writes from tasks are checked there. */
#include "base/cpu.h"
#include "base/float_mode.h"
#include "base/threads.h"
#include "helpers/helpers.h"

#include <fenv.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAX_TASKS = 65535, MAX_THREADS = 16 };

static const int pool_sizes[] = { 1, 2, 3, 8, MAX_THREADS };
enum { POOLS = sizeof pool_sizes / sizeof *pool_sizes };

static dp_pool *make_pool(int threads) {
    dp_pool *pool = NULL;
    assert_int_equal(dp_pool_create(&pool, NULL, threads, NULL), DEEPER_OK);
    assert_int_equal(dp_pool_threads(pool), threads);
    return pool;
}

/* What a loop did: plain memory on purpose. */
typedef struct record {
    unsigned char times[MAX_TASKS + 1];
    struct {
        pthread_t thread;
        int tasks;
        bool inside;
        char line[64]; /* a cache line apart */
    } workers[MAX_THREADS];
    int threads;
    atomic_int faults;
} record;

static void note(void *context, int task, int worker) {
    record *log = context;
    if (worker < 0 || worker >= log->threads || log->workers[worker].inside
        || (log->workers[worker].tasks > 0
            && !pthread_equal(log->workers[worker].thread, pthread_self()))) {
        atomic_fetch_add(&log->faults, 1);
        return;
    }
    log->workers[worker].inside = true;
    log->workers[worker].thread = pthread_self();
    log->workers[worker].tasks++;
    log->times[task]++;
    log->workers[worker].inside = false;
}

static void check_loop(dp_pool *pool, record *log, int tasks) {
    memset(log, 0, sizeof *log);
    log->threads = dp_pool_threads(pool);
    dp_pool_run(pool, tasks, note, log);
    int done = 0;
    for (int i = 0; i < log->threads; i++)
        done += log->workers[i].tasks;
    assert_int_equal(log->faults, 0);
    assert_int_equal(done, tasks);
    for (int i = 0; i <= MAX_TASKS; i++)
        assert_int_equal(log->times[i], i < tasks);
}

static void test_every_task_once(void **state) {
    static const int counts[] = { 0, 1, 2, 3, 7, 8, 9, 64, 1000, MAX_TASKS - 1, MAX_TASKS };
    record *log = malloc(sizeof *log);
    for (int p = 0; p < POOLS; p++) {
        dp_pool *pool = make_pool(pool_sizes[p]);
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
            check_loop(pool, log, counts[i]);
        dp_pool_free(pool);
    }
    free(log);
}

/* Loops in a row that each need what the one before wrote: a task of an old loop that came late, or
 * a result not yet seen, changes the end. A pause now and then lets helpers park at every stage of
 * it. */
typedef struct chain {
    uint64_t from[64], to[64];
    int tasks;
} chain;

static void link_task(void *context, int task, int worker) {
    chain *links = context;
    links->to[task] =
        links->from[task] * 3 + links->from[(task + 1) % links->tasks] + (uint64_t)task;
}

static void copy_task(void *context, int task, int worker) {
    chain *links = context;
    links->from[task] = links->to[task];
}

static uint64_t run_chain(dp_pool *pool, int loops) {
    chain links = { .from = { 1 }, .to = { 0 } };
    for (int i = 0; i < loops; i++) {
        links.tasks = 1 + i * 7 % 64;
        dp_pool_run(pool, links.tasks, link_task, &links);
        dp_pool_run(pool, links.tasks, copy_task, &links);
        if (i % 97 == 0)
            nanosleep(&(struct timespec){ .tv_nsec = i % 3 * 60000 }, NULL);
    }
    uint64_t sum = 0;
    for (int i = 0; i < 64; i++)
        sum = sum * 31 + links.from[i];
    return sum;
}

static void test_loops_in_a_row(void **state) {
    enum { LOOPS = 3000 };
    uint64_t expected = 0;
    for (int p = 0; p < POOLS; p++) {
        dp_pool *pool = make_pool(pool_sizes[p]);
        uint64_t sum = run_chain(pool, LOOPS);
        if (p == 0)
            expected = sum;
        assert_true(sum == expected);
        dp_pool_free(pool);
    }
}

static void *chain_thread(void *result) {
    dp_pool *pool = NULL;
    if (dp_pool_create(&pool, NULL, 3, NULL) != DEEPER_OK)
        return NULL;
    *(uint64_t *)result = run_chain(pool, 500);
    dp_pool_free(pool);
    return result;
}

/* Pools of several threads of the program share nothing. More threads than processors, too. */
static void test_pools_side_by_side(void **state) {
    pthread_t threads[4];
    uint64_t sums[4] = { 0 };
    dp_pool *pool = make_pool(1);
    uint64_t expected = run_chain(pool, 500);
    dp_pool_free(pool);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, chain_thread, &sums[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_true(sums[i] == expected);
    }
}

/* A helper that holds a task for long: the caller, which has parked by then, must be woken, and not
 * before. */
static void slow_task(void *context, int task, int worker) {
    if (worker != 0)
        nanosleep(&(struct timespec){ .tv_nsec = 3000000 }, NULL);
    else
        nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
    ((int *)context)[task] = 1;
}

static void test_caller_waits_for_slow_helpers(void **state) {
    for (int p = 1; p < POOLS; p++) {
        dp_pool *pool = make_pool(pool_sizes[p]);
        for (int i = 0; i < 10; i++) {
            int done[20] = { 0 };
            dp_pool_run(pool, 20, slow_task, done);
            for (int k = 0; k < 20; k++)
                assert_int_equal(done[k], 1);
        }
        dp_pool_free(pool);
    }
}

/* Parked helpers are woken and take part: each task waits (bounded) until another thread is inside
 * with it. */
typedef struct meeting {
    atomic_int inside;
    atomic_bool met;
} meeting;

static void meet(void *context, int task, int worker) {
    meeting *seats = context;
    double end = dp_now() + 5;
    if (atomic_fetch_add(&seats->inside, 1) + 1 >= 2)
        atomic_store(&seats->met, true);
    while (!atomic_load(&seats->met) && dp_now() < end)
        nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
}

static void test_parked_helpers_wake(void **state) {
    dp_pool *pool = make_pool(3);
    for (int i = 0; i < 30; i++) {
        meeting seats = { 0 };
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 },
                  NULL); /* 20 times what a helper spins */
        dp_pool_run(pool, 2 + i % 3, meet, &seats);
        assert_true(seats.met);
    }
    dp_pool_free(pool);
}

static double cpu_seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Idle helpers use no processor: 7 that spun through 200 ms would use 0.2 s at least, and they may
 * use a tenth of that. */
static void test_idle_pool_sleeps(void **state) {
    dp_pool *pool = make_pool(8);
    int done[20] = { 0 };
    dp_pool_run(pool, 20, slow_task, done);
    double before = cpu_seconds();
    nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
    double used = cpu_seconds() - before;
    dp_pool_free(pool);
    assert_true(used < 0.02);
}

/* Up and down: only the first `active` workers are seen, the loops are whole. */
static void test_fewer_threads(void **state) {
    static const int numbers[] = { 8, 1, 7, 2, 3, 8, 4, 1, 5, 6, 2, 8 };
    record *log = malloc(sizeof *log);
    dp_pool *pool = make_pool(8);
    for (int round = 0; round < 200; round++) {
        int active = numbers[round % 12];
        dp_pool_set_active(pool, active);
        check_loop(pool, log, round % 2 ? 1000 : 9);
        for (int worker = active; worker < 8; worker++)
            assert_int_equal(log->workers[worker].tasks, 0);
    }
    assert_int_equal(dp_pool_threads(pool), 8);
    dp_pool_set_active(pool, 3);
    dp_pool_free(pool); /* ends those that rest, too */
    free(log);
}

/* In a child of fork; its exit code, 0 if all was well. */
static int use_inherited(dp_pool *pool, bool run) {
    enum { TASKS = 1000, LOOPS = 20 };
    static record log;
    alarm(30); /* ends a child that waits for ever */
    dp_pool_resume(pool);
    for (int loop = 0; run && loop < LOOPS; loop++) {
        memset(&log, 0, sizeof log);
        log.threads = dp_pool_threads(pool);
        dp_pool_run(pool, TASKS, note, &log);
        for (int i = 0; i < TASKS; i++)
            if (log.times[i] != 1 || log.faults)
                return 1;
    }
    dp_pool_free(pool);
    return 0;
}

static void test_child_of_fork(void **state) {
#ifdef __SANITIZE_THREAD__
    skip(); /* it allows no threads in a child of a process with threads */
#endif
    record *log = malloc(sizeof *log);
    for (int p = 0; p < POOLS; p++)
        for (int way = 0; way < 4; way++) {
            dp_pool *pool = make_pool(pool_sizes[p]);
            if (way & 1)
                check_loop(pool, log, 64);
            if (way == 3)
                dp_pool_set_active(pool, (pool_sizes[p] + 1) / 2);
            pid_t child = fork();
            if (child == 0)
                _exit(use_inherited(pool, way & 2));
            int status = -1;
            assert_int_equal(waitpid(child, &status, 0), child);
            assert_int_equal(status, 0);
            check_loop(pool, log, 64); /* the parent's goes on */
            dp_pool_free(pool);
        }
    free(log);
}

static void test_create_and_free(void **state) {
    static const int bad[] = { 0, -1, DP_THREADS_MAX + 1 };
    dp_pool *pool = NULL;
    deeper_error error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(dp_pool_create(&pool, NULL, bad[i], &error), DEEPER_ERROR_ARGUMENT);
    assert_null(pool);
    dp_pool_free(NULL);
    for (int i = 0; i < 100; i++) /* at once: helpers may not even have begun */
        dp_pool_free(make_pool(1 + i % 5));
    long n = 1;
    for (bool done = false; !done; n++) {
        test_failing_allocator failing;
        test_failing_allocator_init(&failing, n);
        deeper_status status = dp_pool_create(&pool, &failing.allocator, 4, &error);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        if (done)
            dp_pool_free(pool);
        assert_int_equal(failing.outstanding, 0);
    }
    assert_true(n > 2);
}

/* A system that gives no more threads: a stack that cannot be had stands for it. */
static void test_threads_cannot_start(void **state) {
    pthread_attr_t old, huge;
    dp_pool *pool = NULL;
    deeper_error error;
    test_failing_allocator failing;
    test_failing_allocator_init(&failing, 0);
    assert_int_equal(pthread_getattr_default_np(&old), 0);
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, (size_t)1 << 47);
    assert_int_equal(pthread_setattr_default_np(&huge), 0);
    deeper_status status = dp_pool_create(&pool, &failing.allocator, 4, &error);
    pthread_setattr_default_np(&old);
    assert_int_equal(status, DEEPER_ERROR_IO);
    assert_non_null(strstr(error.message, "threads: cannot start so many"));
    assert_null(pool);
    assert_int_equal(failing.outstanding, 0);
}

static void signals_blocked(void *context, int task, int worker) {
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    ((int *)context)[worker] = sigismember(&now, SIGTERM);
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* The program's signals go to its own threads. */
static void test_helpers_take_no_signals(void **state) {
    dp_pool *pool = make_pool(3);
    int blocked[3] = { -1, -1, -1 };
    dp_pool_run(pool, 30, signals_blocked, blocked);
    dp_pool_free(pool);
    assert_int_equal(blocked[0], 0);
    assert_int_equal(blocked[1], 1);
    assert_int_equal(blocked[2], 1);
}

/* -------------------------------------------------------------------------- floating-point mode */

#if defined(__x86_64__) || defined(__aarch64__)
#define FLUSHES true
#else
#define FLUSHES false
#endif

/* Volatile throughout: compilers move plain arithmetic across a change of mode. */
static float small_product(void) {
    volatile float a = 1e-30f, b = 1e-10f, product = a * b; /* 1e-40 is a denormal */
    return product;
}

static float sum_in_mode(void) {
    volatile float one = 1, little = 0x1.8p-25f,
                   sum = one + little; /* nearest: 1; towards plus infinity: 1 + 2^-23 */
    return sum;
}

static void modes(void *context, int task, int worker) {
    float *results = context;
    results[worker * 2] = small_product();
    results[worker * 2 + 1] = sum_in_mode();
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static void test_float_mode(void **state) {
    assert_true(small_product() > 0);
    fesetround(FE_UPWARD);
    feclearexcept(FE_ALL_EXCEPT);
    float up = sum_in_mode();
    feclearexcept(FE_ALL_EXCEPT);
    uint64_t old = dp_float_mode_enter();
    float product = small_product(), nearest = sum_in_mode();
    dp_float_mode_leave(old);
    int flags = fetestexcept(FE_ALL_EXCEPT);
    float again = sum_in_mode();
    fesetround(FE_TONEAREST);
    assert_true(up > 1 && again > 1); /* the caller's rounding, before and after */
    assert_true((product == 0) == FLUSHES);
    assert_true(nearest == 1);
#if defined(__x86_64__)
    assert_int_equal(flags, 0); /* the caller's sticky flags as they were */
#else
    (void)flags;
#endif
    assert_true(small_product() > 0);
}

/* Helpers flush whatever the mode of the thread that made the pool; a caller outside a run keeps
 * its own. */
static void test_helpers_flush(void **state) {
    fesetround(FE_UPWARD);
    dp_pool *pool = make_pool(3);
    fesetround(FE_TONEAREST);
    float results[6] = { -1, -1, -1, -1, -1, -1 };
    dp_pool_run(pool, 30, modes, results);
    dp_pool_free(pool);
    assert_true(results[0] > 0);
    for (int worker = 1; worker < 3; worker++) {
        assert_true((results[worker * 2] == 0) == FLUSHES);
        assert_true(results[worker * 2 + 1] == 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_task_once),
        cmocka_unit_test(test_loops_in_a_row),
        cmocka_unit_test(test_pools_side_by_side),
        cmocka_unit_test(test_caller_waits_for_slow_helpers),
        cmocka_unit_test(test_parked_helpers_wake),
        cmocka_unit_test(test_idle_pool_sleeps),
        cmocka_unit_test(test_fewer_threads),
        cmocka_unit_test(test_child_of_fork),
        cmocka_unit_test(test_create_and_free),
        cmocka_unit_test(test_threads_cannot_start),
        cmocka_unit_test(test_helpers_take_no_signals),
        cmocka_unit_test(test_float_mode),
        cmocka_unit_test(test_helpers_flush),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
