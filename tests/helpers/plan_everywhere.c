/* plan_everywhere.c - one subject on every instruction set, in several ways (plan_harness.h). */
#include "base/float_mode.h"
#include "helpers/plan_harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static float **run_way(const plan_subject *s, plan_way way) {
    float **results = plan_results_create(s);
    plan_machine m = plan_open(s, way);
    dp_pool *pool;
    assert_int_equal(dp_pool_create(&pool, NULL, way.threads, NULL), DEEPER_OK);
    const uint64_t mode = dp_float_mode_enter();
    plan_run(&m, pool, results);
    dp_float_mode_leave(mode);
    dp_pool_free(pool);
    plan_close(&m);
    return results;
}

static void run_isa(const plan_subject *s, dp_isa isa, const plan_way *ways, int way_count,
                    plan_judge *judge, void *context) {
    float **first = NULL;
    for (int i = 0; i < way_count; i++) {
        const plan_way way = { isa, ways[i].batch, ways[i].threads };
        float **results = run_way(s, way);
        if (i == 0) {
            first = results;
            judge(context, isa, first);
            continue;
        }
        char where[64];
        snprintf(where, sizeof where, "%s, batch %d, %d threads", dp_isa_name(isa), way.batch,
                 way.threads);
        plan_same_bits(s, first, results, where);
        plan_results_free(s, results);
    }
    plan_results_free(s, first);
}

void plan_everywhere(const plan_subject *s, const plan_way *ways, int way_count, plan_judge *judge,
                     void *context) {
    for (int isa = DP_ISA_COUNT - 1; isa >= 0; isa--)
        if (dp_isa_supported((dp_isa)isa))
            run_isa(s, (dp_isa)isa, ways, way_count, judge, context);
}
