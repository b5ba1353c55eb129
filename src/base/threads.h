/* threads.h - the thread pool: one parallel loop at a time over numbered tasks. Why our own: a run
 * is some 70 loops of tens of microseconds, so handing one out must cost less than a microsecond,
 * while idle threads may not spin for long; docs/PERF.md compares it with pthreadpool. Tasks are
 * handed out by atomic tickets (generation, count, next); a helper spins briefly after a loop, then
 * parks. */
#ifndef DP_BASE_THREADS_H
#define DP_BASE_THREADS_H

#include "base/memory.h"

typedef struct dp_pool dp_pool;

/* A loop body: `task` is 0..tasks-1, `worker` 0..dp_pool_threads()-1 and this thread's for the loop
 * (index of its scratch). */
typedef void dp_task(void *context, int task, int worker);

/* A pool of `threads` (>= 1) workers, of which the calling thread of dp_pool_run is one; threads -
 * 1 are started now. A thread that cannot be started is an error. */
deeper_status dp_pool_create(dp_pool **pool, const deeper_allocator *allocator, int threads,
                             deeper_error *error);

/* Stops and joins the helpers. NULL is a no-op. In a child of fork, which has none, it only frees.
 */
void dp_pool_free(dp_pool *pool);

/* To be called before loops that may run in a child of fork: starts helpers there, which it has not
 * inherited, as many as the system gives. Costs a getpid. */
void dp_pool_resume(dp_pool *pool);

/* Loops from now on are run by `threads` (1..dp_pool_threads()) workers, the others sleep. Between
 * loops only. */
void dp_pool_set_active(dp_pool *pool, int threads);

int dp_pool_threads(const dp_pool *pool);

/* The queues that a loop's tasks lie in: queue q has tasks q * tasks / queues to (q + 1) * tasks /
 * queues - 1. A worker begins with those of queue worker % queues and helps with the others when
 * they are done. */
int dp_pool_queues(const dp_pool *pool);

/* Calls body(context, task, worker) once for every task, in any order, and returns when all are
 * done; what they wrote is visible. tasks: 0..65535. One caller at a time; not re-entrant from a
 * body. Helpers run with denormals flushed to zero, as the caller does between dp_float_mode_enter
 * and _leave (float_mode.h). */
void dp_pool_run(dp_pool *pool, int tasks, dp_task *body, void *context);

#endif
