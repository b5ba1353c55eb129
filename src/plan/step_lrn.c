/* step_lrn.c - local response normalisation: rows of pixels, all channels of a pixel together, shared out by row and image. */
#include "plan/lower.h"

#include <math.h>

static void run_lrn(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_lrn *lrn = &step->as.lrn.attributes;
    const dp_kernels *kernels = run->plan->kernels;
    int image = task / step->tasks, begin, end;
    dp_share(step->in.shape.h, step->tasks, task % step->tasks, &begin, &end);
    const dp_storage *scratch = &run->plan->storages[step->as.lrn.scratch];
    dp_normalise normalise = { .in_block = step->in.block,
                               .out_block = step->out.block,
                               .blocks = dp_blocks(step->in.shape.c, kernels->lanes),
                               .pixels = step->in.shape.w,
                               .size = lrn->size,
                               .alpha = lrn->alpha,
                               .beta = lrn->beta,
                               .k = lrn->k,
                               .scratch = run->arena + scratch->offset + (size_t)worker * step->as.lrn.scratch_floats };
    for (int y = begin; y < end; y++) {
        normalise.in = dp_view_at(run, &step->in, image) + y * step->in.row;
        normalise.out = dp_view_at(run, &step->out, image) + y * step->out.row;
        kernels->lrn(&normalise);
    }
}

static void describe_lrn(const dp_step *step, dp_buffer *text) {
    dp_buffer_printf(text, "%d channels", step->as.lrn.attributes.size);
}

static const dp_step_kind lrn_kind = { "lrn", run_lrn, describe_lrn, NULL };

deeper_status dp_lower_lrn(dp_lowering *lowering, int node, deeper_error *error) {
    const dp_node *it = &lowering->graph->nodes[node];
    dp_plan *plan = lowering->plan;
    dp_step step = {
        .kind = &lrn_kind, .name = it->name, .in = *dp_input_view(lowering, node, 0), .out = lowering->views[node], .low = -INFINITY
    };
    step.as.lrn.attributes = it->attributes.lrn;
    /* Whole cache lines, so that no two workers write one. */
    step.as.lrn.scratch_floats = (plan->kernels->lrn_scratch(dp_blocks(it->shape.c, plan->kernels->lanes)) + 15) / 16 * 16;
    size_t floats;
    if (!dp_size_mul(step.as.lrn.scratch_floats, (size_t)plan->threads, &floats))
        return dp_fail(error, DEEPER_ERROR_LIMIT, "%s: too many channels", it->name);
    DP_TRY(dp_storage_add_fixed(plan, floats, &step.as.lrn.scratch, error));
    step.work = (uint64_t)dp_shape_floats(it->shape) * 16;
    step.tasks = dp_parts(plan, it->shape.h, step.work);
    int writes[] = { step.out.storage, step.as.lrn.scratch };
    return dp_emit(plan, &step, &step.in.storage, 1, writes, 2, error);
}
