/* lrn.c - local response normalisation and its gradient: rows of pixels, all channels of a
 * pixel together, shared out by row and image. */
#include "plan/passes.h"

/* Row y of x in an image, as the kernels take it; out is where the result goes. */
static dp_normalise describe_row(const dp_run *run, const dp_step *step, const dp_view *x,
                                 int image, int y, int worker) {
    const dp_lrn *lrn = &step->as.lrn;
    return (dp_normalise){ .in = dp_view_at(run, x, image) + y * x->row_stride,
                           .out = dp_view_at(run, &step->out, image) + y * step->out.row_stride,
                           .in_block_stride = x->block_stride,
                           .out_block_stride = step->out.block_stride,
                           .blocks = dp_blocks(x->shape.c, run->plan->kernels->lanes),
                           .pixels = x->shape.w,
                           .size = lrn->size,
                           .alpha = lrn->alpha,
                           .beta = lrn->beta,
                           .k = lrn->k,
                           .scratch = dp_worker_scratch(run, worker) };
}

static void run_lrn(const dp_run *run, const dp_step *step, int task, int worker) {
    int image = task / step->tasks, begin, end;
    dp_share(step->in.shape.h, step->tasks, task % step->tasks, &begin, &end);
    for (int y = begin; y < end; y++) {
        dp_normalise normalise = describe_row(run, step, &step->in, image, y, worker);
        run->plan->kernels->lrn(&normalise);
    }
}

static void run_lrn_gradient(const dp_run *run, const dp_step *step, int task, int worker) {
    int image = task / step->tasks, begin, end;
    dp_share(step->in.shape.h, step->tasks, task % step->tasks, &begin, &end);
    for (int y = begin; y < end; y++) {
        dp_normalise_gradient normalise = {
            .forward = describe_row(run, step, &step->in2, image, y, worker),
            .gradient = dp_view_at(run, &step->in, image) + y * step->in.row_stride,
            .gradient_block_stride = step->in.block_stride,
            .relu = dp_masks_by_input(step)
        };
        run->plan->gradient_kernels->lrn(&normalise);
        for (int block = 0; !normalise.relu && block < normalise.forward.blocks; block++)
            dp_finish_rows(run, step, image, block, y, y + 1);
    }
}

static void describe_lrn(const dp_step *step, dp_buffer *text) {
    dp_buffer_printf(text, "%d channels", step->as.lrn.size);
    dp_describe_epilogue(step, text);
}

static const dp_step_kind lrn_kind = { "lrn", run_lrn, describe_lrn, NULL };
static const dp_step_kind lrn_gradient_kind = { "lrn grad", run_lrn_gradient, describe_lrn, NULL };

static deeper_status lower(dp_lowering *l, int node, dp_step *step, size_t scratch_floats,
                           deeper_error *error) {
    const dp_node *layer = &l->graph->nodes[node];
    dp_plan *plan = l->plan;
    step->name = layer->name;
    step->out = l->views[dp_target(l, node)];
    step->epilogue = dp_epilogue_of(l, node);
    step->as.lrn = layer->attributes.lrn;
    dp_need_scratch(plan, scratch_floats);
    step->work = (uint64_t)dp_shape_floats(layer->shape) * 16;
    step->tasks = dp_parts(plan, layer->shape.h, step->work);
    int reads[] = { step->in.storage, step->in2.storage };
    return dp_emit(plan, step, reads, 2, &step->out.storage, 1, error);
}

deeper_status dp_lower_lrn(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = { .kind = &lrn_kind,
                     .in = *dp_input_view(lowering, node, 0),
                     .in2 = { .storage = -1 } };
    int blocks = dp_blocks(step.in.shape.c, lowering->plan->kernels->lanes);
    return lower(lowering, node, &step, lowering->plan->kernels->lrn_scratch(blocks), error);
}

deeper_status dp_lower_lrn_gradient(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = { .kind = &lrn_gradient_kind,
                     .in = *dp_input_view(lowering, node, 0),
                     .in2 = *dp_input_view(lowering, node, 1) };
    int blocks = dp_blocks(step.in.shape.c, lowering->plan->kernels->lanes);
    return lower(lowering, node, &step, lowering->plan->gradient_kernels->lrn_scratch(blocks),
                 error);
}
