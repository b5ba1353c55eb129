/* threads.c - the thread pool. Why our own: see threads.h. How it works:
 *
 *   queues      the tasks of a loop lie in as many queues of neighbours as there are threads
 *               (QUEUES_MAX at most). A thread takes the tasks of its own queue first, then what is
 *               left of the others: steps that are cut alike find in the caches of a core what it
 *               wrote there, and nobody waits while there is work.
 *
 *   ticket      a queue is one 64-bit word: generation (31 bits), tasks (16), next task (17). A
 *               thread takes a task by adding 1 to it, so that one atomic step both finds the
 *               current loop and claims a task of it. A claimed task holds its loop open until it
 *               is counted in `unfinished`; body and context cannot change under whoever claimed. A
 *               thread that finds next past the last task overshoots: once or twice a loop, for
 *               which the 17th bit of next leaves room.
 *
 *   no barrier  nobody waits for a helper that the system has put aside: the others do its share. A
 *               helper that slept through loops, even through so many that the generation came
 *               round, misses work but breaks nothing.
 *
 *   waiting     all threads wait in one way: spin for SPIN_SECONDS, longer than a task of a run and
 *               shorter than anyone would notice, then park on a condition variable. Who waits
 *               raises `parked` before it looks a last time; who has news writes them before it
 *               looks at `parked` (both sequentially consistent), so one of the two sees the other
 *               and no wake-up is lost.
 *
 *   fewer       helpers from number `active` on rest on a condition of their own, where no loop
 * wakes them; who lowers the number waits until they do.
 *
 *   fork        leaves a child without the helpers, and with locks as they happened to be. The pool
 * knows its process; in another it forgets both and starts helpers again (dp_pool_resume).
 *
 * It does not bind threads to processors (the process may share them). */
#include "base/threads.h"

#include "base/arithmetic.h"
#include "base/cpu.h"
#include "base/float_mode.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#define SPIN_SECONDS 50e-6
enum {
    SPINS_A_LOOK = 32
}; /* looks at the word between two looks at the clock, which costs as much as some of them */

enum { QUEUES_MAX = 8, NEXT_BITS = 17, TASKS_BITS = 16, TASKS_MAX = (1 << TASKS_BITS) - 1 };

static uint64_t ticket_of(uint64_t generation, uint64_t tasks, uint64_t next) {
    return generation << (NEXT_BITS + TASKS_BITS) | tasks << NEXT_BITS | next;
}

static uint64_t ticket_generation(uint64_t ticket) {
    return ticket >> (NEXT_BITS + TASKS_BITS);
}

static int ticket_tasks(uint64_t ticket) {
    return (int)(ticket >> NEXT_BITS & TASKS_MAX);
}

static int ticket_next(uint64_t ticket) {
    return (int)(ticket & ((1 << NEXT_BITS) - 1));
}

/* Threads that wait for the same news. */
typedef struct waiters {
    pthread_cond_t condition;
    atomic_int parked; /* not yet woken; changed under the mutex only */
} waiters;

typedef struct helper {
    dp_pool *pool;
    pthread_t thread;
    int worker;
} helper;

typedef struct queue {
    alignas(DP_ALIGNMENT) _Atomic uint64_t ticket;
} queue;

struct dp_pool {
    queue queues[QUEUES_MAX];
    int queue_count;
    alignas(DP_ALIGNMENT) atomic_int
        unfinished; /* tasks of the loop that are not done, or done and not yet counted */
    alignas(DP_ALIGNMENT) dp_task *body; /* of the loop, written before its tickets */
    void *context;
    int tasks;
    atomic_bool ending; /* written before the tickets of a loop without tasks: the helpers end */
    pthread_mutex_t mutex;
    waiters helpers_waiting, caller_waiting;
    pthread_cond_t called;      /* for helpers that rest: they may be among the active again */
    atomic_int active, resting; /* threads that take tasks; helpers at rest; both changed under the
                                   mutex */
    const deeper_allocator *allocator;
    pid_t process; /* whose threads the helpers are */
    int threads, started;
    helper *helpers; /* threads - 1, of which `started` run */
};

/* -------------------------------------------------------------------------------------- waiting */

typedef bool is_ready(const dp_pool *pool, const void *argument);

static void relax(void) {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Returns once ready(pool, argument). */
static void await(dp_pool *pool, waiters *who, is_ready *ready, const void *argument) {
    double end = dp_now() + SPIN_SECONDS;
    do {
        for (int i = 0; i < SPINS_A_LOOK; i++) {
            if (ready(pool, argument))
                return;
            relax();
        }
    } while (dp_now() < end);

    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        atomic_fetch_add(&who->parked, 1);
        if (ready(pool, argument))
            break;
        pthread_cond_wait(&who->condition,
                          &pool->mutex); /* the waker took this thread off `parked` */
    }
    atomic_fetch_sub(&who->parked, 1);
    pthread_mutex_unlock(&pool->mutex);
}

/* Wakes up to `max` of the parked, after the news have been written. They are counted as woken at
 * once, so that the next loop, which may come before they run, does not wake them again. A spurious
 * wake-up leaves the count too high, which costs one idle signal. */
static void wake(dp_pool *pool, waiters *who, int max) {
    if (atomic_load(&who->parked) == 0)
        return;
    pthread_mutex_lock(&pool->mutex);
    int parked = atomic_load(&who->parked);
    if (parked <= max) {
        pthread_cond_broadcast(&who->condition);
        atomic_store(&who->parked, 0);
    } else {
        for (int i = 0; i < max; i++)
            pthread_cond_signal(&who->condition);
        atomic_store(&who->parked, parked - max);
    }
    pthread_mutex_unlock(&pool->mutex);
}

/* News for a helper: another loop in its queue than the one seen, or that it shall rest. */
typedef struct news {
    const queue *own;
    uint64_t seen;
    int worker;
} news;

static bool next_loop(const dp_pool *pool, const void *argument) {
    const news *watched = argument;
    return ticket_generation(atomic_load(&watched->own->ticket)) != watched->seen
           || watched->worker >= atomic_load(&pool->active);
}

/* News for the caller. */
static bool loop_finished(const dp_pool *pool, const void *unused) {
    return atomic_load(&pool->unfinished) == 0;
}

/* -------------------------------------------------------------------------------------- working */

/* The first task of queue q. */
static int first_task(const dp_pool *pool, int q) {
    return (int)((int64_t)pool->tasks * q / pool->queue_count);
}

/* Does tasks of the current loop until none is left, those of its own queue first, and counts them;
 * true if these were the last. *generation: of the loop whose own tasks ran out. */
static bool do_tasks(dp_pool *pool, int worker, uint64_t *generation) {
    int done = 0;
    for (int i = 0; i < pool->queue_count; i++) {
        int q = (worker + i) % pool->queue_count;
        _Atomic uint64_t *word = &pool->queues[q].ticket;
        for (;; done++) {
            uint64_t ticket = atomic_load(
                word); /* others' queues are mostly empty: a look is cheaper than a claim */
            if (ticket_next(ticket) < ticket_tasks(ticket))
                ticket = atomic_fetch_add(word, 1);
            if (i == 0)
                *generation = ticket_generation(ticket);
            if (ticket_next(ticket) >= ticket_tasks(ticket))
                break;
            pool->body(pool->context, first_task(pool, q) + ticket_next(ticket), worker);
        }
    }
    return done > 0 && atomic_fetch_sub(&pool->unfinished, done) == done;
}

/* News for who lowered the number of the active. */
static bool others_rest(const dp_pool *pool, const void *unused) {
    return atomic_load(&pool->resting) >= pool->started + 1 - atomic_load(&pool->active);
}

/* Returns once the helper is one of the active, or the pool is ending. */
static void rest(dp_pool *pool, int worker) {
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->resting, 1);
    pthread_mutex_unlock(&pool->mutex);
    wake(pool, &pool->caller_waiting, 1);
    pthread_mutex_lock(&pool->mutex);
    while (worker >= atomic_load(&pool->active) && !atomic_load(&pool->ending))
        pthread_cond_wait(&pool->called, &pool->mutex);
    atomic_fetch_sub(&pool->resting, 1);
    pthread_mutex_unlock(&pool->mutex);
}

static void *helper_main(void *argument) {
    const helper *self = argument;
    dp_pool *pool = self->pool;
    news watched = { &pool->queues[self->worker % pool->queue_count], 0,
                     self->worker }; /* as the pool begins: generation 0 is no loop */
    dp_float_mode_enter();
    while (!atomic_load(&pool->ending)) {
        await(pool, &pool->helpers_waiting, next_loop, &watched);
        if (self->worker >= atomic_load(&pool->active))
            rest(pool, self->worker);
        else if (do_tasks(pool, self->worker, &watched.seen))
            wake(pool, &pool->caller_waiting, 1);
    }
    return NULL;
}

/* Puts a loop of `tasks` tasks up. */
static void publish(dp_pool *pool, int tasks) {
    pool->tasks = tasks;
    for (int q = 0; q < pool->queue_count; q++) {
        uint64_t generation = ticket_generation(atomic_load(&pool->queues[q].ticket)) + 1;
        int count = first_task(pool, q + 1) - first_task(pool, q);
        atomic_store(&pool->queues[q].ticket, ticket_of(generation, (uint64_t)count, 0));
    }
}

void dp_pool_run(dp_pool *pool, int tasks, dp_task *body, void *context) {
    assert(tasks >= 0 && tasks <= TASKS_MAX);
    if (atomic_load(&pool->active) == 1 || tasks <= 1) {
        for (int i = 0; i < tasks; i++)
            body(context, i, 0);
        return;
    }
    uint64_t generation;
    pool->body = body;
    pool->context = context;
    atomic_store(&pool->unfinished, tasks);
    publish(pool, tasks);
    wake(pool, &pool->helpers_waiting, tasks - 1);
    if (!do_tasks(pool, 0, &generation))
        await(pool, &pool->caller_waiting, loop_finished, NULL);
}

/* -------------------------------------------------------------------------- creating and ending */

/* Starts the helpers; 0 or the error number of the first that could not be started. They take no
 * signals: those are the program's. */
static int start_helpers(dp_pool *pool) {
    sigset_t all, old;
    int failure = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (; pool->started < pool->threads - 1 && !failure; pool->started += !failure) {
        helper *next = &pool->helpers[pool->started];
        *next = (helper){ .pool = pool, .worker = pool->started + 1 };
        failure = pthread_create(&next->thread, NULL, helper_main, next);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return failure;
}

/* As a pool begins: locks that nobody holds, no helpers. */
static void reset(dp_pool *pool) {
    pool->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    pool->helpers_waiting = (waiters){ .condition = PTHREAD_COND_INITIALIZER };
    pool->caller_waiting = (waiters){ .condition = PTHREAD_COND_INITIALIZER };
    pool->called = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    pool->started = 0;
    pool->resting = 0;
    pool->process = getpid();
    publish(pool, 0);
}

void dp_pool_resume(dp_pool *pool) {
    if (pool->process == getpid())
        return;
    reset(pool);
    start_helpers(pool);
}

/* Lets the helpers look again at a condition that was just changed under the mutex. */
static void call(dp_pool *pool) {
    pthread_cond_broadcast(&pool->called);
    pthread_mutex_unlock(&pool->mutex);
    wake(pool, &pool->helpers_waiting, pool->threads);
}

void dp_pool_set_active(dp_pool *pool, int threads) {
    assert(threads >= 1 && threads <= pool->threads);
    dp_pool_resume(pool);
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->active, threads);
    call(pool);
    await(pool, &pool->caller_waiting, others_rest, NULL);
}

deeper_status dp_pool_create(dp_pool **pool, const deeper_allocator *allocator, int threads,
                             deeper_error *error) {
    if (threads < 1 || threads > DP_THREADS_MAX)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "threads: %d is not possible; 1..%d are",
                       threads, DP_THREADS_MAX);
    dp_pool *fresh = dp_alloc(allocator, 1, sizeof *fresh);
    helper *helpers = dp_alloc(allocator, (size_t)threads - 1, sizeof *helpers);
    if (!fresh || !helpers) {
        dp_free(allocator, fresh);
        dp_free(allocator, helpers);
        return dp_fail_memory(error, "the thread pool");
    }
    fresh->queue_count = dp_min(threads, QUEUES_MAX);
    fresh->allocator = allocator;
    fresh->active = fresh->threads = threads;
    fresh->helpers = helpers;
    reset(fresh);
    int failure = start_helpers(fresh);
    if (failure) {
        errno = failure;
        deeper_status result =
            dp_fail_errno(error, "threads", "cannot start so many, ask for fewer");
        dp_pool_free(fresh);
        return result;
    }
    *pool = fresh;
    return DEEPER_OK;
}

void dp_pool_free(dp_pool *pool) {
    if (!pool)
        return;
    if (pool->process != getpid())
        reset(pool);
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->ending, true);
    publish(pool, 0);
    call(pool);
    for (int i = 0; i < pool->started; i++)
        pthread_join(pool->helpers[i].thread, NULL);
    pthread_cond_destroy(&pool->helpers_waiting.condition);
    pthread_cond_destroy(&pool->caller_waiting.condition);
    pthread_cond_destroy(&pool->called);
    pthread_mutex_destroy(&pool->mutex);
    dp_free(pool->allocator, pool->helpers);
    dp_free(pool->allocator, pool);
}

int dp_pool_threads(const dp_pool *pool) {
    return pool->threads;
}

int dp_pool_queues(const dp_pool *pool) {
    return pool->queue_count;
}
