/* test_orders.c - the tasks of a phase in any order, each on any worker: a plan must give the bits
 * that it gives in order on one worker. Threads that help each other make such orders, but seldom
 * the harmful one: a worker goes back to a step after another step has used its scratch. So
 * dp_pool_run here is not the library's (base/threads.c is not linked): it deals the tasks out by
 * random numbers, all on this thread, and what fails fails in every run of the test. The network
 * puts side by side what keeps something in a worker's scratch: two Winograd convolutions and a
 * normalisation; in training also their gradients. */
#include "base/random.h"
#include "graph/build.h"
#include "graph/training.h"
#include "helpers/plan_harness.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { IMAGES = 2, CHANNELS = 64, SIDE = 14, CLASSES = 5, DEALS = 12, MAX_PARAMETERS = 16 };

/* ------------------------------------------------------------------------------------- the pool */

struct dp_pool {
    int workers;
    bool dealt; /* else in order, on worker 0 */
    dp_random random;
};

int dp_pool_queues(const dp_pool *pool) {
    return pool->workers;
}

void dp_pool_run(dp_pool *pool, int tasks, dp_task *body, void *context) {
    int *order = malloc(((size_t)tasks + 1) * sizeof *order);
    for (int i = 0; i < tasks; i++) {
        int j = pool->dealt ? (int)dp_random_below(&pool->random, (uint32_t)i + 1) : i;
        order[i] = order[j];
        order[j] = i;
    }
    for (int i = 0; i < tasks; i++)
        body(context, order[i],
             pool->dealt ? (int)dp_random_below(&pool->random, (uint32_t)pool->workers) : 0);
    free(order);
}

/* ---------------------------------------------------------------------------------- the network */

/* A network as it runs or as it learns, and where its results go. */
typedef struct subject {
    dp_graph *network, *training; /* training: NULL where it runs */
    dp_training_nodes nodes;
    float *values[MAX_PARAMETERS], *inputs[2];
    int outputs[MAX_PARAMETERS];
    plan_subject plan; /* its images: set by the check */
} subject;

static int build(dp_graph *g) {
    const dp_window one = dp_window_square(1, 1, 0), three = dp_window_square(3, 1, 1),
                    five = dp_window_square(5, 1, 2);
    int x = dp_add_input(g, "data", 24, SIDE, SIDE);
    x = dp_add_relu(g, "r1", dp_add_conv(g, "1x1", x, CHANNELS, one, true));
    const int branches[] = { dp_add_relu(g, "r3", dp_add_conv(g, "3x3", x, CHANNELS, three, true)),
                             dp_add_relu(g, "r5", dp_add_conv(g, "5x5", x, CHANNELS, five, true)),
                             dp_add_lrn(g, "norm", x, (dp_lrn){ 5, 1e-1F, 0.75F, 1.0F }) };
    int joined = dp_add_concat(g, "joined", branches, sizeof branches / sizeof *branches);
    dp_add_softmax(g, "prob",
                   dp_add_fc(g, "scores", dp_add_global_average(g, "average", joined), CLASSES));
    return joined;
}

static float *noise(size_t count, float size, uint64_t seed) {
    dp_random random = dp_random_at(seed, 0, 0);
    float *values = malloc(count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = size * dp_random_normal(&random);
    return values;
}

static void open(subject *s, bool training) {
    deeper_error error;
    const dp_training_options options = { .head_weights = { 1 } };
    *s = (subject){ 0 };
    assert_int_equal(dp_graph_create(&s->network, NULL, &error), DEEPER_OK);
    int output_count = 0, joined = build(s->network);
    if (dp_graph_status(s->network, &error) != DEEPER_OK
        || (training
            && dp_graph_training(&s->training, &s->nodes, s->network, &options, &error)
                   != DEEPER_OK))
        fail_msg("%s", error.message);
    for (int i = 0; i < s->network->count; i++) {
        const dp_node *node = &s->network->nodes[i];
        if (node->op != DP_OP_PARAMETER)
            continue;
        assert_true(node->parameter < MAX_PARAMETERS);
        size_t floats = dp_shape_floats(node->shape), fan_in = floats / (size_t)node->shape.n;
        s->values[node->parameter] = noise(floats, sqrtf(2.0F / (float)fan_in), (uint64_t)i + 1);
        if (training)
            s->outputs[output_count++] = s->nodes.gradients[node->parameter];
    }
    if (!training)
        s->outputs[output_count++] = joined;
    s->inputs[0] = noise(dp_shape_floats(s->network->nodes[0].shape) * IMAGES, 1, 99);
    s->inputs[1] = calloc(IMAGES, 2 * sizeof(float));
    for (int n = 0; n < IMAGES; n++) {
        s->inputs[1][2 * n] = (float)(n + 1); /* class, weight */
        s->inputs[1][2 * n + 1] = 1;
    }
    s->plan = (plan_subject){ .graph = training ? s->training : s->network,
                              .values = (const float *const *)s->values,
                              .inputs = (const float *const *)s->inputs,
                              .outputs = s->outputs,
                              .output_count = output_count,
                              .training = training };
}

static void close(subject *s) {
    for (int p = 0; p < MAX_PARAMETERS; p++)
        free(s->values[p]);
    free(s->inputs[0]);
    free(s->inputs[1]);
    if (s->training) {
        dp_training_nodes_free(&s->nodes, NULL);
        dp_graph_free(s->training);
    }
    dp_graph_free(s->network);
}

/* -------------------------------------------------------------------------------------- running */

/* Most steps of one phase that keep transformed pictures, as far as their texts say. */
static int winograd_steps_at_once(const dp_plan *plan) {
    int max = 0, here = 0;
    for (int i = 0; i < dp_plan_steps(plan); i++) {
        dp_buffer text;
        dp_buffer_init(&text, NULL, 4096);
        dp_plan_describe_step(plan, i, &text);
        here = i && dp_plan_step_at(plan, i).phase == dp_plan_step_at(plan, i - 1).phase ? here : 0;
        here += text.data && strstr(text.data, "winograd");
        max = here > max ? here : max;
        dp_buffer_free(&text);
    }
    return max;
}

static void check_way(subject *s, plan_way way) {
    s->plan.images = way.batch;
    plan_machine machine = plan_open(&s->plan, way);
    assert_true(winograd_steps_at_once(machine.plan) >= 2);
    dp_pool in_order = { .workers = way.threads };
    float **wanted = plan_results_create(&s->plan);
    plan_run(&machine, &in_order, wanted);
    for (uint64_t deal = 1; deal <= DEALS; deal++) {
        dp_pool pool = { .workers = way.threads,
                         .dealt = true,
                         .random = dp_random_at(deal, 0, 0) };
        float **got = plan_results_create(&s->plan);
        char where[64];
        snprintf(where, sizeof where, "%s, %d images, %d threads, deal %d", dp_isa_name(way.isa),
                 way.batch, way.threads, (int)deal);
        plan_run(&machine, &pool, got);
        plan_same_bits(&s->plan, wanted, got, where);
        plan_results_free(&s->plan, got);
    }
    plan_results_free(&s->plan, wanted);
    plan_close(&machine);
}

static void check(bool training) {
    subject s;
    open(&s, training);
    for (int isa = 0; isa < DP_ISA_COUNT; isa++)
        if (dp_isa_supported((dp_isa)isa))
            for (int images = 1; images <= IMAGES; images++)
                for (int threads = 2; threads <= 4; threads += 2)
                    check_way(&s, (plan_way){ (dp_isa)isa, images, threads });
    close(&s);
}

static void test_inference(void **state) {
    check(false);
}

static void test_training(void **state) {
    check(true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inference),
        cmocka_unit_test(test_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
