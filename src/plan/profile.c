/* profile.c - how long the steps of a plan take: what a run adds up when it is asked to (plan.h),
 * and what a step is called. The times cost two looks at the clock per task, so whole runs are
 * timed without them. */
#include "plan/step.h"

#include <string.h>

void dp_profile_free(dp_profile *profile) {
    if (!profile)
        return;
    const deeper_allocator *allocator = profile->plan->allocator;
    dp_free(allocator, profile->seconds);
    dp_free(allocator, profile->waiting);
    dp_free(allocator, profile->busy);
    dp_free(allocator, profile);
}

deeper_status dp_profile_create(dp_profile **profile, const dp_plan *plan, deeper_error *error) {
    dp_profile *created = dp_alloc(plan->allocator, 1, sizeof *created);
    if (!created)
        return dp_fail_memory(error, "the times of a plan");
    size_t steps = (size_t)plan->step_count;
    created->plan = plan;
    created->seconds = dp_alloc(plan->allocator, steps, sizeof *created->seconds);
    created->waiting = dp_alloc(plan->allocator, steps, sizeof *created->waiting);
    created->busy = dp_alloc(plan->allocator, steps, (size_t)plan->threads * sizeof *created->busy);
    if (!created->seconds || !created->waiting || !created->busy) {
        dp_profile_free(created);
        return dp_fail_memory(error, "the times of a plan");
    }
    *profile = created;
    return DEEPER_OK;
}

void dp_profile_clear(dp_profile *profile) {
    size_t steps = (size_t)profile->plan->step_count;
    memset(profile->seconds, 0, steps * sizeof *profile->seconds);
    memset(profile->waiting, 0, steps * sizeof *profile->waiting);
}

void dp_profile_copy(dp_profile *to, const dp_profile *from) {
    size_t steps = (size_t)from->plan->step_count;
    memcpy(to->seconds, from->seconds, steps * sizeof *to->seconds);
    memcpy(to->waiting, from->waiting, steps * sizeof *to->waiting);
}

/* Seconds of all threads in one step of the loop under way. */
static double busy_in(const dp_profile *profile, int step) {
    double sum = 0;
    for (int i = 0; i < profile->plan->threads; i++)
        sum += profile->busy[step * profile->plan->threads + i];
    return sum;
}

void dp_profile_loop(dp_profile *profile, int first, int end, double seconds) {
    int threads = profile->plan->threads;
    double all = 0;
    for (int i = first; i < end; i++)
        all += busy_in(profile, i);
    double idle = seconds - all / threads;
    for (int i = first; i < end; i++) {
        double share = all > 0 ? busy_in(profile, i) / all : 1.0 / (end - first);
        profile->seconds[i] += seconds * share;
        profile->waiting[i] += idle > 0 ? idle * share : 0;
    }
    memset(profile->busy + (ptrdiff_t)first * threads, 0,
           (size_t)(end - first) * (size_t)threads * sizeof *profile->busy);
}

int dp_plan_steps(const dp_plan *plan) {
    return plan->step_count;
}

dp_plan_step dp_plan_step_at(const dp_plan *plan, int step) {
    const dp_step *timed = &plan->steps[step];
    return (dp_plan_step){ timed->name, timed->kind->name, timed->phase, timed->multiply_adds,
                           timed->chosen };
}

void dp_plan_describe_step(const dp_plan *plan, int step, dp_buffer *text) {
    const dp_step *timed = &plan->steps[step];
    if (timed->kind->describe)
        timed->kind->describe(timed, text);
}
