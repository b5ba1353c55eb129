/* pick.c - pictures whose every pixel is one of another picture: the nearest of a smaller or larger
 * one, or one beyond the border seen in it as in a mirror. Letters: H W the input, P Q the output.
 */
#include "plan/passes.h"

#include <string.h>

/* Which row (or column) of `side` is at `index` beyond `before` mirrored ones. */
static int mirrored(int index, int before, int side) {
    int at = index - before;
    at = at < 0 ? -at : at;
    return at < side ? at : 2 * (side - 1) - at;
}

static int nearest(int index, int outputs, int side) {
    return (int)((int64_t)index * side / outputs);
}

static void pick_rows(const dp_run *run, const dp_step *step, int task, bool mirror) {
    const dp_view *in = &step->in, *out = &step->out;
    const dp_pads *pads = &step->as.pads;
    int lanes = run->plan->kernels->lanes, image = task / step->tasks, begin, end;
    dp_share(dp_blocks(out->shape.c, lanes), step->tasks, task % step->tasks, &begin, &end);
    for (int block = begin; block < end; block++)
        for (int p = 0; p < out->shape.h; p++) {
            int y = mirror ? mirrored(p, pads->top, in->shape.h)
                           : nearest(p, out->shape.h, in->shape.h);
            const float *from = dp_row_at(run, in, image, block, y);
            float *to = dp_row_at(run, out, image, block, p);
            for (int q = 0; q < out->shape.w; q++) {
                int x = mirror ? mirrored(q, pads->left, in->shape.w)
                               : nearest(q, out->shape.w, in->shape.w);
                memcpy(to + (ptrdiff_t)q * lanes, from + (ptrdiff_t)x * lanes,
                       (size_t)lanes * sizeof *to);
            }
        }
}

static void run_resize(const dp_run *run, const dp_step *step, int task, int worker) {
    pick_rows(run, step, task, false);
}

static void run_reflect(const dp_run *run, const dp_step *step, int task, int worker) {
    pick_rows(run, step, task, true);
}

static const dp_step_kind resize_kind = { "resize", run_resize, NULL, NULL };
static const dp_step_kind reflect_kind = { "reflect", run_reflect, NULL, NULL };

static deeper_status lower(dp_lowering *l, int node, const dp_step_kind *kind,
                           deeper_error *error) {
    const dp_node *layer = &l->graph->nodes[node];
    dp_step step = { .kind = kind,
                     .name = layer->name,
                     .in = *dp_input_view(l, node, 0),
                     .out = l->views[node],
                     .work = dp_shape_floats(layer->shape) * 4 };
    step.tasks = dp_parts(l->plan, dp_blocks(layer->shape.c, l->plan->kernels->lanes), step.work);
    if (layer->op == DP_OP_REFLECT)
        step.as.pads = layer->attributes.pads;
    return dp_emit_unary(l->plan, &step, error);
}

deeper_status dp_lower_resize(dp_lowering *lowering, int node, deeper_error *error) {
    return lower(lowering, node, &resize_kind, error);
}

deeper_status dp_lower_reflect(dp_lowering *lowering, int node, deeper_error *error) {
    return lower(lowering, node, &reflect_kind, error);
}
