/* adaptive.c - the adaptive average pool and its gradient: output p of P averages rows floor(p
 * H / P) .. ceil((p + 1) H / P) - 1, which overlap where P does not divide H; columns likewise. It
 * stands in the auxiliary heads of small pictures, on a few thousand values, so it is plain C over
 * the lanes. Letters: L lanes, H W the larger picture, P Q the smaller one. */
#include "plan/passes.h"

#include <string.h>

/* Rows (or columns) first..end-1 that output `index` of `outputs` averages. */
static int region_first(int index, int outputs, int side) {
    return (int)((int64_t)index * side / outputs);
}

static int region_end(int index, int outputs, int side) {
    return (int)dp_ceil_div64((int64_t)(index + 1) * side, outputs);
}

/* For every output pixel of one block: sums its region of `large` into it, or spreads it over the
 * region. */
static void pool_block(float *small, const dp_view *s, float *large, const dp_view *l, int lanes,
                       bool spread) {
    for (int p = 0; p < s->shape.h; p++)
        for (int q = 0; q < s->shape.w; q++) {
            int y0 = region_first(p, s->shape.h, l->shape.h),
                y1 = region_end(p, s->shape.h, l->shape.h);
            int x0 = region_first(q, s->shape.w, l->shape.w),
                x1 = region_end(q, s->shape.w, l->shape.w);
            float share = 1.0F / (float)((y1 - y0) * (x1 - x0)),
                  *one = small + p * s->row_stride + (ptrdiff_t)q * lanes;
            for (int y = y0; y < y1; y++)
                for (int x = x0; x < x1; x++) {
                    float *many = large + y * l->row_stride + (ptrdiff_t)x * lanes;
                    for (int i = 0; i < lanes; i++)
                        if (spread)
                            many[i] += one[i] * share;
                        else
                            one[i] += many[i] * share;
                }
        }
}

static void clear_block(float *at, const dp_view *view, int lanes) {
    for (int y = 0; y < view->shape.h; y++)
        memset(at + y * view->row_stride, 0, (size_t)(view->shape.w * lanes) * sizeof *at);
}

/* Forward: in is large, out small. Backward: in is the gradient of the small one, out of the large
 * one. */
static void run_adaptive(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_view *in = &step->in, *out = &step->out;
    int lanes = run->plan->kernels->lanes, image = task / step->tasks, begin, end;
    bool backward = step->in2.shape.c > 0;
    dp_share(dp_blocks(out->shape.c, lanes), step->tasks, task % step->tasks, &begin, &end);
    for (int block = begin; block < end; block++) {
        float *from = dp_view_at(run, in, image) + block * in->block_stride,
              *to = dp_view_at(run, out, image) + block * out->block_stride;
        clear_block(to, out, lanes);
        if (backward)
            pool_block(from, in, to, out, lanes, true);
        else
            pool_block(to, out, from, in, lanes, false);
    }
}

static const dp_step_kind adaptive_kind = { "adaptive pool", run_adaptive, NULL, NULL };
static const dp_step_kind adaptive_gradient_kind = { "adaptive grad", run_adaptive, NULL, NULL };

deeper_status dp_lower_adaptive_pool(dp_lowering *lowering, int node, deeper_error *error) {
    const dp_node *layer = &lowering->graph->nodes[node];
    bool backward = layer->op == DP_OP_ADAPTIVE_POOL_GRADIENT;
    dp_step step = { .kind = backward ? &adaptive_gradient_kind : &adaptive_kind,
                     .name = layer->name,
                     .in = *dp_input_view(lowering, node, 0),
                     .in2 = dp_optional_view(lowering, node, 1),
                     .out = lowering->views[node],
                     .work = dp_shape_floats(layer->shape) * 4 };
    step.tasks = dp_parts(lowering->plan, dp_blocks(layer->shape.c, lowering->plan->kernels->lanes),
                          step.work);
    return dp_emit_unary(lowering->plan, &step, error);
}
