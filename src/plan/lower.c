/* lower.c - the pass that makes the steps: the function of each node's operator, or of the
 * algorithm chosen for it, emits them, in the
 * order of the nodes, then come the outputs and the halos. Here are also the tools that those
 * functions share: how a step gets its phase, its parts, its scratch. */
#include "plan/passes.h"

#include <stdlib.h>

enum { PARTS_A_THREAD = 4 };

/* A task should last some 10 microseconds at least: a million multiply-adds, or this much of
 * anything slower. */
static const uint64_t WORK_OF_A_TASK = 500000;

int dp_parts(const dp_plan *plan, int items, uint64_t work) {
    if (plan->threads == 1 || items <= 1)
        return 1;
    int parts_a_thread = plan->max_batch == 1
                             ? 2 * PARTS_A_THREAD
                             : PARTS_A_THREAD; /* other images keep a thread at work too */
    uint64_t parts = (uint64_t)(plan->threads * parts_a_thread), useful = work / WORK_OF_A_TASK + 1;
    uint64_t max =
        (uint64_t)(DP_TASKS_MAX / 2 / plan->max_batch); /* the pool counts to DP_TASKS_MAX;
                                                        cutting two ways may round up */
    parts = parts < useful ? parts : useful;
    parts = parts < max ? parts : max;
    return parts < (uint64_t)items ? (int)parts : items;
}

deeper_status dp_emit(dp_plan *plan, const dp_step *step, const int *reads, int read_count,
                      const int *writes, int write_count, deeper_error *error) {
    void *steps = plan->steps;
    bool room = dp_reserve(plan->allocator, &steps, &plan->step_capacity,
                           (size_t)plan->step_count + 1, sizeof *plan->steps);
    plan->steps = steps;
    if (!room)
        return dp_fail_memory(error, "the table of steps");
    int phase = dp_max(step->phase, 1),
        mask = step->epilogue.masked ? step->epilogue.mask.storage : -1;
    for (int i = 0; i <= read_count; i++) {
        int read = i < read_count ? reads[i] : mask;
        if (read >= 0 && phase <= plan->storages[read].written)
            phase = plan->storages[read].written + 1;
    }
    for (int i = 0; i <= read_count; i++) {
        int read = i < read_count ? reads[i] : mask;
        if (read >= 0 && phase > plan->storages[read].last)
            plan->storages[read].last = phase;
    }
    const dp_bias_step *bias = &step->epilogue.bias;
    const int along[] = { bias->out.storage, bias->sums };
    for (int i = 0; i < write_count + (bias->taken ? 2 : 0); i++) {
        dp_storage *storage = &plan->storages[i < write_count ? writes[i] : along[i - write_count]];
        if (storage->first > storage->last || phase < storage->first)
            storage->first = phase;
        storage->last = dp_max(phase, storage->last);
        storage->written = dp_max(phase, storage->written);
    }
    plan->steps[plan->step_count] = *step;
    plan->steps[plan->step_count++].phase = phase;
    return DEEPER_OK;
}

deeper_status dp_emit_unary(dp_plan *plan, const dp_step *step, deeper_error *error) {
    return dp_emit(plan, step, &step->in.storage, 1, &step->out.storage, 1, error);
}

void dp_need_scratch(dp_plan *plan, size_t floats) {
    size_t lines = (floats + DP_ALIGNMENT / sizeof(float) - 1)
                   / (DP_ALIGNMENT / sizeof(float)); /* no two workers write one */
    size_t whole = lines * (DP_ALIGNMENT / sizeof(float));
    plan->scratch_floats = whole > plan->scratch_floats ? whole : plan->scratch_floats;
}

/* All steps are there. */
static deeper_status place_scratch(dp_plan *plan, deeper_error *error) {
    size_t floats;
    if (!plan->scratch_floats)
        return DEEPER_OK;
    if (!dp_size_mul(plan->scratch_floats, (size_t)plan->threads, &floats))
        return dp_fail(error, DEEPER_ERROR_LIMIT,
                       "the scratch of %d threads does not fit into memory", plan->threads);
    DP_TRY(dp_storage_add_fixed(plan, floats, &plan->scratch, error));
    plan->storages[plan->scratch].first = 1;
    for (int i = 0; i < plan->step_count; i++)
        if (plan->steps[i].phase > plan->storages[plan->scratch].last)
            plan->storages[plan->scratch].last = plan->steps[i].phase;
    return DEEPER_OK;
}

static int earlier_then_longer(const void *a, const void *b) {
    const dp_step *x = a, *y = b;
    if (x->phase != y->phase)
        return x->phase - y->phase;
    return x->work < y->work ? 1 : x->work > y->work ? -1 : 0;
}

static deeper_status lower_nodes(dp_lowering *l, deeper_error *error) {
    for (int i = 0; i < l->graph->count; i++) {
        const dp_node *node = &l->graph->nodes[i];
        const dp_plan_op *row = &dp_plan_ops[node->op];
        bool absorbed =
            node->input_count && node->op != DP_OP_ADD && l->absorber[node->inputs[0]] == i;
        if (!l->needed[i] || l->root[i] != i || l->done[i] || absorbed)
            continue;
        dp_lower *lower = row->algorithms ? l->choices[i].algorithm->lower : row->lower;
        if (lower)
            DP_TRY(lower(l, i, error));
    }
    for (int i = 0; i < l->output_count; i++)
        DP_TRY(dp_lower_output(l, i, error));
    return dp_lower_halos(l->plan, error);
}

deeper_status dp_pass_lower(dp_lowering *lowering, deeper_error *error) {
    dp_plan *plan = lowering->plan;
    DP_TRY(lower_nodes(lowering, error));
    DP_TRY(place_scratch(plan, error));
    qsort(plan->steps, (size_t)plan->step_count, sizeof *plan->steps, earlier_then_longer);
    return DEEPER_OK;
}

void dp_print_lower(const dp_lowering *lowering, dp_buffer *text) {
    const dp_plan *plan = lowering->plan;
    dp_buffer_printf(text, "phase %-13s %-28s %5s %5s %5s  how\n", "step", "layer", "reads",
                     "writes", "tasks");
    for (int i = 0; i < plan->step_count; i++) {
        const dp_step *step = &plan->steps[i];
        dp_buffer_printf(text, "%5d %-13s %-28s %5d %6d %5d  ", step->phase, step->kind->name,
                         step->name, step->in.shape.c ? step->in.storage : -1,
                         step->out.shape.c ? step->out.storage : -1, step->tasks);
        if (step->kind->describe)
            step->kind->describe(step, text);
        dp_buffer_printf(text, "\n");
    }
}
