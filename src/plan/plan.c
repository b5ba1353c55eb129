/* plan.c - makes a plan by the passes of passes.h, prints it. */
#include "plan/passes.h"

#include <stdio.h>
#include <string.h>

#define PASSES(X) X(simplify) X(choose) X(place) X(lower) X(arena)
#define ROW(name) { #name, dp_pass_##name, dp_print_##name },
#define WORD(name) "|" #name

static const struct {
    const char *name;
    dp_pass *run;
    dp_pass_print *print;
} passes[] = { PASSES(ROW) };
enum { PASS_COUNT = sizeof passes / sizeof *passes };

const char *dp_plan_passes(void) {
    return &PASSES(WORD)[1];
}

static deeper_status compile(dp_lowering *l, const dp_plan_options *options, deeper_error *error) {
    dp_plan *plan = l->plan;
    size_t nodes = (size_t)l->graph->count;
    l->needed = dp_alloc(plan->allocator, nodes, sizeof *l->needed);
    l->done = dp_alloc(plan->allocator, nodes, sizeof *l->done);
    l->uses = dp_alloc(plan->allocator, nodes, sizeof(int));
    l->absorber = dp_alloc(plan->allocator, nodes, sizeof(int));
    l->root = dp_alloc(plan->allocator, nodes, sizeof(int));
    l->choices = dp_alloc(plan->allocator, nodes, sizeof *l->choices);
    l->views = dp_alloc(plan->allocator, nodes, sizeof *l->views);
    if (!l->needed || !l->done || !l->uses || !l->absorber || !l->root || !l->choices || !l->views)
        return dp_fail_memory(error, "the planner's tables");
    for (int i = 0; i < PASS_COUNT; i++) {
        DP_TRY(passes[i].run(l, error));
        if (options->pass && !strcmp(options->pass, passes[i].name))
            passes[i].print(l, options->text);
    }
    return DEEPER_OK;
}

static void lowering_free(dp_lowering *l) {
    void *tables[] = { l->needed, l->done, l->uses, l->absorber, l->root, l->choices, l->views };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        dp_free(l->plan->allocator, tables[i]);
}

deeper_status dp_check_batch(int images, deeper_error *error) {
    if (images < 1 || images > DP_BATCH_MAX)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "a batch of %d images; 1 to %d are possible",
                       images, DP_BATCH_MAX);
    return DEEPER_OK;
}

static deeper_status check_pass(const char *pass, deeper_error *error) {
    for (int i = 0; i < PASS_COUNT; i++)
        if (!strcmp(pass, passes[i].name))
            return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_ARGUMENT, "the planner has no pass \"%s\"; it has %s", pass,
                   dp_plan_passes());
}

static deeper_status check_options(const dp_graph *graph, const dp_plan_options *options,
                                   deeper_error *error) {
    DP_TRY(dp_check_batch(options->max_batch, error));
    if (options->output_count < 1)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "a plan without outputs");
    if ((unsigned)options->precision >= DP_PRECISION_COUNT)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "precision %d is none of this library's",
                       (int)options->precision);
    if (options->pass)
        DP_TRY(check_pass(options->pass, error));
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
    dp_plan *compiled = dp_alloc(allocator, 1, sizeof *compiled);
    if (!compiled)
        return dp_fail_memory(error, "a plan");
    compiled->allocator = allocator;
    compiled->graph = graph;
    compiled->kernels = options->kernels;
    compiled->max_batch = options->max_batch;
    compiled->threads = options->threads;
    compiled->training = options->training;
    compiled->direct = options->direct;
    compiled->precision = options->precision;
    compiled->gradient_kernels = dp_gradient_kernels_for(options->kernels->isa);
    dp_lowering lowering = { .plan = compiled,
                             .graph = graph,
                             .values = values,
                             .packs = packs,
                             .tuning = options->tuning,
                             .outputs = options->outputs,
                             .output_count = options->output_count };
    deeper_status status = compile(&lowering, options, error);
    lowering_free(&lowering);
    if (status != DEEPER_OK) {
        dp_plan_free(compiled);
        return status;
    }
    *plan = compiled;
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
