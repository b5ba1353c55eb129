/* plan_harness.h - what the tests of plans share: a graph with values, plans of it for an
 * instruction set, a batch and a number of threads, and the rule that only the first of these may
 * change a bit. What the results should be is each test's own matter. */
#ifndef TEST_PLAN_HARNESS_H
#define TEST_PLAN_HARNESS_H

#include "plan/plan.h"

enum { PLAN_OUTPUTS_MAX = 192 };

/* What runs: a graph, where the values of its parameters and inputs are, and the nodes to look at.
 * Borrowed; training as in dp_plan_options. */
typedef struct plan_subject {
    const dp_graph *graph;
    const float *const *values, *const *inputs;
    int images;
    const int *outputs;
    int output_count;
    bool training, direct;
} plan_subject;

/* How it runs: batches of `batch` images at most. */
typedef struct plan_way {
    dp_isa isa;
    int batch, threads;
} plan_way;

/* A plan and what its runs need. */
typedef struct plan_machine {
    const plan_subject *subject;
    plan_way way;
    dp_plan *plan;
    dp_packs *packs;
    float *arena;
} plan_machine;

/* A plan that cannot be had fails the test. */
plan_machine plan_open(const plan_subject *subject, plan_way way);
void plan_close(plan_machine *machine);

/* All images of the subject, batch by batch, output i to outputs[i], from an arena of NaNs:
 * whatever is read before it is written shows. The caller's thread is in the floating-point mode of
 * a run. */
void plan_run(const plan_machine *machine, dp_pool *pool, float *const *outputs);

/* Floats of output i over all images; what a training graph sums over the batch counts once. */
size_t plan_output_floats(const plan_subject *subject, int output);

/* New arrays for the outputs, zero; freed by plan_results_free. */
float **plan_results_create(const plan_subject *subject);
void plan_results_free(const plan_subject *subject, float **results);

/* Fails the test where an output of `got` has other bits than that of `wanted`; where: for the
 * message. */
void plan_same_bits(const plan_subject *subject, float *const *wanted, float *const *got,
                    const char *where);

/* The plan as dp_plan_print writes it; to be freed. */
char *plan_text(const plan_subject *subject, plan_way way);

/* On every instruction set of this machine, best first: runs the subject in the first way, lets
 * `judge` look at the results, and runs it in the other ways, which must give the same bits. The
 * ways' isa is not looked at. (In plan_everywhere.c, for test_orders has a pool of its own.) */
typedef void plan_judge(void *context, dp_isa isa, float *const *results);
void plan_everywhere(const plan_subject *subject, const plan_way *ways, int way_count,
                     plan_judge *judge, void *context);

/* Uniform in [-1, 1), the next of a sequence. */
float plan_noise(uint32_t *state);

#endif
