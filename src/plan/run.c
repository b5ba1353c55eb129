/* run.c - a run walks the steps of a plan: those of a phase are one loop of the pool. */
#include "plan/step.h"

typedef struct loop {
    const dp_run *run;
    const dp_step *steps; /* of one phase */
    int step_count, queues;
} loop;

static int task_count(const dp_step *step, int images) {
    return step->whole_batch ? step->tasks : step->tasks * images;
}

/* The step of task `task` of a loop, and its number there. Each queue of the pool has a part of
 * every step, in the order of the steps. */
static const dp_step *find_task(const loop *all, int *task) {
    for (int queue = 0; queue < all->queues; queue++)
        for (int i = 0; i < all->step_count; i++) {
            int begin, end;
            dp_share(task_count(&all->steps[i], all->run->call->count), all->queues, queue, &begin,
                     &end);
            if (*task < end - begin) {
                *task += begin;
                return &all->steps[i];
            }
            *task -= end - begin;
        }
    return NULL;
}

static void run_task(void *context, int task, int worker) {
    const loop *all = context;
    const dp_step *step = find_task(all, &task);
    dp_held *held = &all->run->held[worker];
    if (held->step
        != step) /* a worker may come back to a step after another one has used its scratch */
        *held = (dp_held){ 0 };
    const dp_plan *plan = all->run->plan;
    const dp_profile *profile = all->run->call->profile;
    double begin = profile ? dp_now() : 0;
    step->kind->run(all->run, step, task, worker);
    if (profile)
        profile->busy[(step - plan->steps) * plan->threads + worker] += dp_now() - begin;
}

void dp_plan_run(const dp_plan *plan, dp_pool *pool, float *arena, const dp_plan_call *call) {
    dp_held held[DP_THREADS_MAX] = { 0 };
    dp_run run = { plan, arena, call, held };
    dp_profile *profile = call->profile;
    for (int i = 0; i < plan->step_count;) {
        double begin = profile ? dp_now() : 0;
        int tasks = task_count(&plan->steps[i], call->count), next = i + 1;
        while (next < plan->step_count && plan->steps[next].phase == plan->steps[i].phase
               && tasks + task_count(&plan->steps[next], call->count) <= DP_TASKS_MAX)
            tasks += task_count(&plan->steps[next++], call->count);
        loop phase = { &run, &plan->steps[i], next - i, dp_pool_queues(pool) };
        dp_pool_run(pool, tasks, run_task, &phase);
        if (profile)
            dp_profile_loop(profile, i, next, dp_now() - begin);
        i = next;
    }
}
