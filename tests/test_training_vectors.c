/* test_training_vectors.c - the whole GoogLeNet with both auxiliary heads in training, against what
 * PyTorch computed from the same formula-made weights, pictures and labels
 * (tests/vectors/training_pytorch.py, which documents the file): losses, every parameter's
 * gradient, and ten updates. Tolerances are the project's: losses 1e-5, gradients 1e-3 in norm,
 * projection and samples (relative to the norm; through direct kernels). Ten updates multiply the
 * rounding of the first: 1e-3. */
#include "base/float_mode.h"
#include "graph/training.h"
#include "helpers/formula.h"
#include "helpers/plan_harness.h"
#include "kernels/gradient.h"
#include "nets/nets.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 2, CLASSES = 1000, SIZE = 224, SAMPLES = 64, STEPS = 10, MAX_PARAMETERS = 160 };
static const float RATE = 0.001F, DECAY = 2e-4F, MOMENTUM = 0.9F;

typedef struct recorded_gradient {
    char name[64];
    double deviation, norm, projection, samples[SAMPLES];
} recorded_gradient;

typedef struct recorded {
    double loss[DP_HEADS], step[STEPS];
    recorded_gradient gradients[MAX_PARAMETERS];
    int gradient_count;
} recorded;

static recorded *read_recorded(void) {
    static const char *const heads[DP_HEADS] = {
        [DP_HEAD_MAIN] = "main", [DP_HEAD_AUX1] = "aux1", [DP_HEAD_AUX2] = "aux2"
    };
    recorded *r = calloc(1, sizeof *r);
    FILE *file = fopen(TEST_SOURCE_DIR "/tests/vectors/training_pytorch.txt", "r");
    char word[64], head[8];
    int steps = 0, losses = 0;
    assert_non_null(file);
    while (fscanf(file, "%63s", word) == 1) {
        if (strcmp(word, "loss") == 0) {
            double value;
            assert_int_equal(fscanf(file, "%7s %lf", head, &value), 2);
            for (int h = 0; h < DP_HEADS; h++)
                if (strcmp(head, heads[h]) == 0) {
                    r->loss[h] = value;
                    losses++;
                }
        } else if (strcmp(word, "step") == 0) {
            assert_true(steps < STEPS);
            assert_int_equal(fscanf(file, "%lf", &r->step[steps++]), 1);
        } else {
            recorded_gradient *g = &r->gradients[r->gradient_count++];
            assert_true(r->gradient_count <= MAX_PARAMETERS);
            assert_int_equal(
                fscanf(file, "%63s %lf %lf %lf", g->name, &g->deviation, &g->norm, &g->projection),
                4);
            for (int i = 0; i < SAMPLES; i++)
                assert_int_equal(fscanf(file, "%lf", &g->samples[i]), 1);
        }
    }
    fclose(file);
    assert_int_equal(steps, STEPS);
    assert_int_equal(losses, DP_HEADS);
    return r;
}

/* The network in training: values and velocities of parameter p, and the plan that computes
 * losses and gradients. */
typedef struct trainee {
    dp_graph *network, *training;
    dp_training_nodes nodes;
    plan_subject plan;
    plan_machine machine;
    dp_pool *pool;
    float *input, labels[2 * BATCH];
    const float *inputs[2];
    float *values[MAX_PARAMETERS], *velocity[MAX_PARAMETERS];
    const dp_node *parameter[MAX_PARAMETERS];
    int outputs[DP_HEADS + MAX_PARAMETERS]; /* losses of the heads, then gradients */
    float **results;
    dp_isa isa;
} trainee;

/* Element `index` of parameter `seed`; fan_in 0: a bias. */
static float initial(uint32_t seed, size_t index, size_t fan_in) {
    double value = test_noise(seed, index);
    return (float)(fan_in ? value * sqrt(1.8 / (double)fan_in)
                          : (value > 0) * 2.4 - 1.2 + value * 0.1);
}

static void fill_values(trainee *t) {
    for (int i = 0; i < t->network->count; i++) {
        const dp_node *node = &t->network->nodes[i];
        if (node->parameter < 0)
            continue;
        int p = node->parameter;
        size_t floats = dp_shape_floats(node->shape), fan_in = floats / (size_t)node->shape.n;
        bool bias = strstr(node->name, ".bias");
        t->parameter[p] = node;
        t->values[p] = malloc(floats * sizeof(float));
        t->velocity[p] = calloc(floats, sizeof(float));
        for (size_t j = 0; j < floats; j++)
            t->values[p][j] = initial((uint32_t)p, j, bias ? 0 : fan_in);
    }
    size_t floats = (size_t)BATCH * 3 * SIZE * SIZE;
    t->input = malloc(floats * sizeof(float));
    for (int i = 0; i < BATCH * 3; i++)
        test_waves(t->input + (size_t)i * SIZE * SIZE, i, SIZE);
    for (int n = 0; n < BATCH; n++) {
        t->labels[2 * n] = (float)((37 * n + 11) % CLASSES);
        t->labels[2 * n + 1] = 1.0F;
    }
}

static void trainee_open(trainee *t, dp_isa isa) {
    static const dp_training_options options = { { 1.0F, 0.3F, 0.3F }, 0.0F, NULL };
    char *architecture, *text;
    deeper_error error;
    int count = 0;
    memset(t, 0, sizeof *t);
    t->isa = isa;
    assert_int_equal(dp_graph_create(&t->network, NULL, NULL), DEEPER_OK);
    assert_int_equal(dp_net_build(t->network, "googlenet:aux=1", (dp_net_size){ CLASSES, SIZE },
                                  &architecture, &text, NULL),
                     DEEPER_OK);
    for (int i = 0; i < t->network->count; i++)
        if (t->network->nodes[i].op == DP_OP_DROPOUT)
            t->network->nodes[i].attributes.dropout.rate = 0;
    dp_free(NULL, architecture);
    dp_free(NULL, text);
    if (dp_graph_training(&t->training, &t->nodes, t->network, &options, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    fill_values(t);
    for (int h = 0; h < t->nodes.heads; h++)
        t->outputs[count++] = t->nodes.loss[h];
    for (int p = 0; p < t->network->parameters; p++)
        t->outputs[count++] = t->nodes.gradients[p];
    t->inputs[0] = t->input;
    t->inputs[1] = t->labels;
    t->plan = (plan_subject){ .graph = t->training,
                              .values = (const float *const *)t->values,
                              .inputs = t->inputs,
                              .images = BATCH,
                              .outputs = t->outputs,
                              .output_count = count,
                              .training = true };
    t->machine = plan_open(&t->plan, (plan_way){ isa, BATCH, 2 });
    t->results = plan_results_create(&t->plan);
    assert_int_equal(dp_pool_create(&t->pool, NULL, 2, NULL), DEEPER_OK);
}

static const float *gradient_of(const trainee *t, int parameter) {
    return t->results[t->nodes.heads + parameter];
}

static void trainee_close(trainee *t) {
    dp_pool_free(t->pool);
    plan_results_free(&t->plan, t->results);
    plan_close(&t->machine);
    for (int p = 0; p < t->network->parameters; p++) {
        free(t->values[p]);
        free(t->velocity[p]);
    }
    free(t->input);
    dp_training_nodes_free(&t->nodes, NULL);
    dp_graph_free(t->training);
    dp_graph_free(t->network);
}

/* Mean loss of a head over the batch. */
static double mean_loss(const trainee *t, dp_head head) {
    int h = 0;
    while (t->nodes.head[h] != head)
        h++;
    double sum = 0;
    for (int n = 0; n < BATCH; n++)
        sum += (double)t->results[h][n];
    return sum / BATCH;
}

static double run(trainee *t) {
    const uint64_t mode = dp_float_mode_enter();
    plan_run(&t->machine, t->pool, t->results);
    dp_float_mode_leave(mode);
    return mean_loss(t, DP_HEAD_MAIN) + 0.3 * mean_loss(t, DP_HEAD_AUX1)
           + 0.3 * mean_loss(t, DP_HEAD_AUX2);
}

static void update(trainee *t) {
    for (int p = 0; p < t->network->parameters; p++) {
        bool bias = strstr(t->parameter[p]->name, ".bias");
        dp_update step = { .value = t->values[p],
                           .velocity = t->velocity[p],
                           .gradient = gradient_of(t, p),
                           .count = dp_shape_floats(t->parameter[p]->shape),
                           .scale = 1.0F / BATCH,
                           .decay = bias ? 0.0F : DECAY,
                           .momentum = MOMENTUM,
                           .rate = bias ? 2 * RATE : RATE };
        dp_gradient_kernels_for(t->isa)->update(&step);
    }
}

static void compare_gradients(const trainee *t, const recorded *r) {
    assert_int_equal(r->gradient_count, t->network->parameters);
    for (int i = 0; i < r->gradient_count; i++) {
        const recorded_gradient *g = &r->gradients[i];
        int node = dp_graph_find(t->network, g->name);
        assert_true(node >= 0);
        const float *values = gradient_of(t, t->network->nodes[node].parameter);
        size_t count = dp_shape_floats(t->network->nodes[node].shape);
        double norm = 0, projection = 0, samples = 0,
               tolerance = 3 * g->deviation > 1e-3 ? 3 * g->deviation : 1e-3;
        for (size_t j = 0; j < count; j++) {
            double v = (double)values[j] / BATCH;
            norm += v * v;
            projection += v * test_noise(7777, j);
        }
        for (int s = 0; s < SAMPLES; s++) {
            double d = (double)values[(size_t)s * 7919 % count] / BATCH - g->samples[s];
            samples += d * d;
        }
        if (!(fabs(sqrt(norm) - g->norm) <= tolerance * g->norm))
            fail_msg("%s: norm %g, recorded %g", g->name, sqrt(norm), g->norm);
        if (!(fabs(projection - g->projection) <= tolerance * g->norm))
            fail_msg("%s: projection %g, recorded %g (norm %g)", g->name, projection, g->projection,
                     g->norm);
        if (!(sqrt(samples) <= tolerance * g->norm * sqrt((double)SAMPLES / (double)count)))
            fail_msg("%s: samples differ by %g, norm %g", g->name, sqrt(samples), g->norm);
    }
}

static void test_recorded(void **state) {
    recorded *r = read_recorded();
    for (int isa = 0; isa < DP_ISA_COUNT; isa++) {
        if (!dp_isa_supported((dp_isa)isa))
            continue;
        trainee t;
        trainee_open(&t, (dp_isa)isa);
        for (int step = 0; step < STEPS; step++) {
            double loss = run(&t);
            if (step == 0) {
                for (int h = 0; h < DP_HEADS; h++)
                    if (!(fabs(mean_loss(&t, (dp_head)h) - r->loss[h]) <= 1e-5 * r->loss[h]))
                        fail_msg("%s: loss of head %d is %.9g, recorded %.9g",
                                 dp_isa_name((dp_isa)isa), h, mean_loss(&t, (dp_head)h),
                                 r->loss[h]);
                compare_gradients(&t, r);
            }
            if (!(fabs(loss - r->step[step]) <= 1e-3 * r->step[step]))
                fail_msg("%s: loss before update %d is %.9g, recorded %.9g",
                         dp_isa_name((dp_isa)isa), step, loss, r->step[step]);
            update(&t);
        }
        trainee_close(&t);
    }
    free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_recorded) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
