/* plan_harness.c - see plan_harness.h. Nothing here needs base/threads.c: test_orders brings a
 * pool of its own. */
#include "helpers/plan_harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { INPUTS_MAX = 4 };

plan_machine plan_open(const plan_subject *s, plan_way way) {
    plan_machine m = { .subject = s, .way = way };
    deeper_error error;
    const dp_plan_options options = { .kernels = dp_kernels_for(way.isa),
                                      .max_batch = way.batch,
                                      .threads = way.threads,
                                      .outputs = s->outputs,
                                      .output_count = s->output_count,
                                      .training = s->training,
                                      .direct = s->direct };
    assert_true(s->output_count <= PLAN_OUTPUTS_MAX);
    assert_int_equal(dp_packs_create(&m.packs, NULL, NULL), DEEPER_OK);
    if (dp_plan_create(&m.plan, s->graph, s->values, m.packs, &options, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    m.arena = dp_alloc(NULL, dp_plan_arena_bytes(m.plan), 1);
    assert_non_null(m.arena);
    return m;
}

void plan_close(plan_machine *m) {
    dp_free(NULL, m->arena);
    dp_plan_free(m->plan);
    dp_packs_free(m->packs);
}

static bool is_batch_sum(const plan_subject *s, int output) {
    return s->graph->nodes[s->outputs[output]].shape.n != 0;
}

static size_t image_floats(const plan_subject *s, int output) {
    return dp_shape_floats(s->graph->nodes[s->outputs[output]].shape);
}

size_t plan_output_floats(const plan_subject *s, int output) {
    return image_floats(s, output) * (is_batch_sum(s, output) ? 1 : (size_t)s->images);
}

/* Images `done` and after: where they lie in the inputs and in the outputs. */
static void advance(const plan_subject *s, int done, const float **inputs, float **outputs,
                    float *const *results) {
    int input = 0;
    for (int i = 0; i < s->graph->count; i++)
        if (s->graph->nodes[i].op == DP_OP_INPUT) {
            assert_true(input < INPUTS_MAX);
            inputs[input] =
                s->inputs[input] + (size_t)done * dp_shape_floats(s->graph->nodes[i].shape);
            input++;
        }
    for (int i = 0; i < s->output_count; i++)
        outputs[i] = results[i] + (is_batch_sum(s, i) ? 0 : (size_t)done * image_floats(s, i));
}

void plan_run(const plan_machine *m, dp_pool *pool, float *const *results) {
    const plan_subject *s = m->subject;
    memset(m->arena, 0xFF, dp_plan_arena_bytes(m->plan));
    for (int done = 0; done < s->images; done += m->way.batch) {
        const float *inputs[INPUTS_MAX];
        float *outputs[PLAN_OUTPUTS_MAX];
        const int left = s->images - done;
        advance(s, done, inputs, outputs, results);
        dp_plan_run(m->plan, pool, m->arena,
                    &(dp_plan_call){ .count = left < m->way.batch ? left : m->way.batch,
                                     .inputs = inputs,
                                     .outputs = outputs,
                                     .seed = 5 });
    }
}

float **plan_results_create(const plan_subject *s) {
    float **results = calloc((size_t)s->output_count, sizeof *results);
    assert_non_null(results);
    for (int i = 0; i < s->output_count; i++) {
        results[i] = calloc(plan_output_floats(s, i), sizeof **results);
        assert_non_null(results[i]);
    }
    return results;
}

void plan_results_free(const plan_subject *s, float **results) {
    for (int i = 0; i < s->output_count; i++)
        free(results[i]);
    free(results);
}

void plan_same_bits(const plan_subject *s, float *const *wanted, float *const *got,
                    const char *where) {
    for (int i = 0; i < s->output_count; i++)
        if (memcmp(wanted[i], got[i], plan_output_floats(s, i) * sizeof **got) != 0)
            fail_msg("%s: %s has other bits", where, s->graph->nodes[s->outputs[i]].name);
}

char *plan_text(const plan_subject *s, plan_way way) {
    plan_machine m = plan_open(s, way);
    dp_buffer text;
    dp_buffer_init(&text, NULL, 1 << 20);
    dp_plan_print(m.plan, &text);
    assert_false(text.failed);
    char *copy = strdup(text.data);
    assert_non_null(copy);
    dp_buffer_free(&text);
    plan_close(&m);
    return copy;
}

float plan_noise(uint32_t *state) {
    *state = *state * 1664525U + 1013904223U;
    return (float)(*state >> 8) / 8388608.0F - 1.0F;
}
