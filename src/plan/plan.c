/* plan.c - makes a plan by the passes of lower.h, runs it, prints it. What each operator becomes is
 * in steps/ and conv/. */
#include "plan/passes.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_TASKS = 65535, PARTS_A_THREAD = 4 };

/* A task should last some 10 microseconds at least: a million multiply-adds, or this much of
 * anything slower. */
static const uint64_t WORK_OF_A_TASK = 500000;

/* Without an entry: nodes that are no work of their own (parameters and their other orders), or
 * only names (dropout at inference). */
static dp_lower *const lowerings[DP_OP_COUNT] = {
    [DP_OP_INPUT] = dp_lower_input,
    [DP_OP_CONV] = dp_lower_conv,
    [DP_OP_FC] = dp_lower_conv,
    [DP_OP_MAX_POOL] = dp_lower_pool,
    [DP_OP_AVERAGE_POOL] = dp_lower_pool,
    [DP_OP_GLOBAL_AVERAGE] = dp_lower_pool,
    [DP_OP_ADAPTIVE_POOL] = dp_lower_adaptive_pool,
    [DP_OP_LRN] = dp_lower_lrn,
    [DP_OP_RELU] = dp_lower_relu,
    [DP_OP_BATCH_NORM] = dp_lower_affine,
    [DP_OP_AFFINE] = dp_lower_affine,
    [DP_OP_CLIP] = dp_lower_clip,
    [DP_OP_PAD] = dp_lower_pad,
    [DP_OP_SIGMOID] = dp_lower_sigmoid,
    [DP_OP_MULTIPLY] = dp_lower_multiply,
    [DP_OP_SHUFFLE] = dp_lower_shuffle,
    [DP_OP_ADD] = dp_lower_add,
    [DP_OP_CONCAT] = dp_lower_concat,
    [DP_OP_FLATTEN] = dp_lower_flatten,
    [DP_OP_DROPOUT] = dp_lower_dropout,
    [DP_OP_SOFTMAX] = dp_lower_softmax,
    [DP_OP_FILL] = dp_lower_fill,
    [DP_OP_SOFTMAX_LOSS] = dp_lower_loss,
    [DP_OP_SOFTMAX_LOSS_GRADIENT] = dp_lower_loss_gradient,
    [DP_OP_UNFLATTEN] = dp_lower_unflatten,
    [DP_OP_DILATE] = dp_lower_dilate,
    [DP_OP_CONV_WEIGHT_GRADIENT] = dp_lower_weight_gradient,
    [DP_OP_CHANNEL_SUM] = dp_lower_channel_sum,
    [DP_OP_RELU_GRADIENT] = dp_lower_relu_gradient,
    [DP_OP_MAX_POOL_GRADIENT] = dp_lower_pool_gradient,
    [DP_OP_AVERAGE_POOL_GRADIENT] = dp_lower_pool_gradient,
    [DP_OP_GLOBAL_AVERAGE_GRADIENT] = dp_lower_pool_gradient,
    [DP_OP_ADAPTIVE_POOL_GRADIENT] = dp_lower_adaptive_pool,
    [DP_OP_LRN_GRADIENT] = dp_lower_lrn_gradient,
    [DP_OP_SLICE] = dp_lower_slice,
    [DP_OP_MOMENTS] = dp_lower_moments,
    [DP_OP_BATCH_NORM_SUMS] = dp_lower_batch_norm_sums,
    [DP_OP_BATCH_NORM_GRADIENT] = dp_lower_batch_norm_gradient,
    [DP_OP_FIXED_NORM_GRADIENT] = dp_lower_fixed_norm_gradient,
};

/* --------------------------------------------------------------------------------------- making */

int dp_parts(const dp_plan *plan, int items, uint64_t work) {
    if (plan->threads == 1 || items <= 1)
        return 1;
    int parts_a_thread = plan->max_batch == 1
                             ? 2 * PARTS_A_THREAD
                             : PARTS_A_THREAD; /* other images keep a thread at work too */
    uint64_t parts = (uint64_t)(plan->threads * parts_a_thread), useful = work / WORK_OF_A_TASK + 1;
    uint64_t most = (uint64_t)(MAX_TASKS / 2 / plan->max_batch); /* the pool counts to MAX_TASKS;
                                                                    cutting two ways may round up */
    parts = parts < useful ? parts : useful;
    parts = parts < most ? parts : most;
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
    int phase = dp_max(step->phase, 1), mask = step->masked ? step->mask.storage : -1;
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
    const int along[] = { step->bias.out.storage, step->bias.sums };
    for (int i = 0; i < write_count + (step->bias.taken ? 2 : 0); i++) {
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
        bool absorbed =
            node->input_count && node->op != DP_OP_ADD && l->absorber[node->inputs[0]] == i;
        if (!l->needed[i] || l->root[i] != i || l->done[i] || absorbed || !lowerings[node->op])
            continue;
        DP_TRY(lowerings[node->op](l, i, error));
    }
    for (int i = 0; i < l->output_count; i++)
        DP_TRY(dp_lower_output(l, i, error));
    return dp_lower_halos(l->plan, error);
}

static deeper_status compile(dp_lowering *l, deeper_error *error) {
    dp_plan *plan = l->plan;
    size_t nodes = (size_t)l->graph->count;
    l->needed = dp_alloc(plan->allocator, nodes, sizeof *l->needed);
    l->done = dp_alloc(plan->allocator, nodes, sizeof *l->done);
    l->uses = dp_alloc(plan->allocator, nodes, sizeof(int));
    l->absorber = dp_alloc(plan->allocator, nodes, sizeof(int));
    l->root = dp_alloc(plan->allocator, nodes, sizeof(int));
    l->views = dp_alloc(plan->allocator, nodes, sizeof *l->views);
    if (!l->needed || !l->done || !l->uses || !l->absorber || !l->root || !l->views)
        return dp_fail_memory(error, "the planner's tables");
    dp_simplify(l);
    DP_TRY(dp_place(l, error));
    DP_TRY(lower_nodes(l, error));
    DP_TRY(place_scratch(plan, error));
    qsort(plan->steps, (size_t)plan->step_count, sizeof *plan->steps, earlier_then_longer);
    return dp_arena_place(plan, error);
}

static void lowering_free(dp_lowering *l) {
    void *tables[] = { l->needed, l->done, l->uses, l->absorber, l->root, l->views };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        dp_free(l->plan->allocator, tables[i]);
}

deeper_status dp_check_batch(int images, deeper_error *error) {
    if (images < 1 || images > DP_BATCH_MAX)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "a batch of %d images; 1 to %d are possible",
                       images, DP_BATCH_MAX);
    return DEEPER_OK;
}

static deeper_status check_options(const dp_graph *graph, const dp_plan_options *options,
                                   deeper_error *error) {
    DP_TRY(dp_check_batch(options->max_batch, error));
    if (options->output_count < 1)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "a plan without outputs");
    for (int i = 0; i < options->output_count; i++)
        if (options->outputs[i] < 0 || options->outputs[i] >= graph->count
            || graph->nodes[options->outputs[i]].op == DP_OP_PARAMETER)
            return dp_fail(error, DEEPER_ERROR_ARGUMENT, "output %d is not a layer of the network",
                           i);
    return DEEPER_OK;
}

deeper_status dp_plan_create(dp_plan **plan, const dp_graph *graph, const float *const *values,
                             dp_packs *packs, const dp_plan_options *options,
                             const deeper_allocator *allocator, deeper_error *error) {
    DP_TRY(check_options(graph, options, error));
    dp_plan *made = dp_alloc(allocator, 1, sizeof *made);
    if (!made)
        return dp_fail_memory(error, "a plan");
    made->allocator = allocator;
    made->graph = graph;
    made->kernels = options->kernels;
    made->max_batch = options->max_batch;
    made->threads = options->threads;
    made->training = options->training;
    made->direct = options->direct;
    made->gradient_kernels = dp_gradient_kernels_for(options->kernels->isa);
    dp_lowering lowering = { .plan = made,
                             .graph = graph,
                             .values = values,
                             .packs = packs,
                             .tuning = options->tuning,
                             .outputs = options->outputs,
                             .output_count = options->output_count };
    deeper_status status = compile(&lowering, error);
    lowering_free(&lowering);
    if (status != DEEPER_OK) {
        dp_plan_free(made);
        return status;
    }
    *plan = made;
    return DEEPER_OK;
}

void dp_plan_free(dp_plan *plan) {
    if (!plan)
        return;
    for (int i = 0; i < plan->step_count; i++)
        if (plan->steps[i].kind->release)
            plan->steps[i].kind->release(plan, &plan->steps[i]);
    dp_free(plan->allocator, plan->steps);
    dp_free(plan->allocator, plan->storages);
    dp_free(plan->allocator, plan);
}

size_t dp_plan_arena_bytes(const dp_plan *plan) {
    return plan->arena_floats * sizeof(float);
}

size_t dp_plan_packed_bytes(const dp_plan *plan) {
    return plan->packed_bytes;
}

/* -------------------------------------------------------------------------------------- running */

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
static const dp_step *find_task(const loop *it, int *task) {
    for (int queue = 0; queue < it->queues; queue++)
        for (int i = 0; i < it->step_count; i++) {
            int begin, end;
            dp_share(task_count(&it->steps[i], it->run->call->count), it->queues, queue, &begin,
                     &end);
            if (*task < end - begin) {
                *task += begin;
                return &it->steps[i];
            }
            *task -= end - begin;
        }
    return NULL;
}

static void run_task(void *context, int task, int worker) {
    const loop *it = context;
    const dp_step *step = find_task(it, &task);
    dp_held *held = &it->run->held[worker];
    if (held->step
        != step) /* a worker may come back to a step after another one has used its scratch */
        *held = (dp_held){ 0 };
    const dp_plan *plan = it->run->plan;
    const dp_profile *profile = it->run->call->profile;
    double begin = profile ? dp_now() : 0;
    step->kind->run(it->run, step, task, worker);
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
               && tasks + task_count(&plan->steps[next], call->count) <= MAX_TASKS)
            tasks += task_count(&plan->steps[next++], call->count);
        loop phase = { &run, &plan->steps[i], next - i, dp_pool_queues(pool) };
        dp_pool_run(pool, tasks, run_task, &phase);
        if (profile)
            dp_profile_loop(profile, i, next, dp_now() - begin);
        i = next;
    }
}

/* ------------------------------------------------------------------------------------- printing */

static void print_shape(const dp_view *view, dp_buffer *text) {
    char shape[48];
    snprintf(shape, sizeof shape, "%dx%dx%d", view->shape.c, view->shape.h, view->shape.w);
    dp_buffer_printf(text, " %-13s", shape);
}

void dp_plan_print(const dp_plan *plan, dp_buffer *text) {
    dp_buffer_printf(text, "%s, %d lanes, batch up to %d, %d thread%s\n",
                     dp_isa_name(plan->kernels->isa), plan->kernels->lanes, plan->max_batch,
                     plan->threads, plan->threads == 1 ? "" : "s");
    dp_buffer_printf(text, "phase %-13s %-28s %-13s %-13s %9s  how\n", "step", "layer", "in", "out",
                     "at");
    for (int i = 0; i < plan->step_count; i++) {
        const dp_step *step = &plan->steps[i];
        bool reads = step->in.shape.c > 0, writes = step->out.shape.c > 0;
        dp_buffer_printf(text, "%5d %-13s %-28s", step->phase, step->kind->name, step->name);
        print_shape(reads ? &step->in : &step->out, text);
        print_shape(writes ? &step->out : &step->in, text);
        int storage = writes ? step->out.storage : step->in.storage;
        dp_buffer_printf(text, " %9zu  ",
                         storage < 0 ? 0 : plan->storages[storage].offset * sizeof(float));
        if (step->kind->describe)
            step->kind->describe(step, text);
        dp_buffer_printf(text, "%s%d task%s\n", step->kind->describe ? ", " : "", step->tasks,
                         step->tasks == 1 ? "" : "s");
    }
    dp_buffer_printf(text, "arena %zu bytes, packed weights %zu bytes\n", dp_plan_arena_bytes(plan),
                     dp_plan_packed_bytes(plan));
}
