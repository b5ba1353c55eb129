/* phases.c - a picture of few channels split into the four phases of its pixels: what lies at
 * even and odd rows and columns becomes 4 C channels of half the size. A convolution with stride 2
 * over the picture is one with stride 1 over its phases, with windows half as large, which
 * Winograd's algorithm (winograd.c) can compute. Reads the caller's input itself where nobody
 * else needs it in the arena. Letters: C channels, H W picture, L lanes. */
#include "plan/conv/winograd.h"

#include <string.h>

enum { PHASES = 2, SIDE_MAX = 8 };

/* Whether `out` is what a window makes of an input whose phases Winograd's algorithm can take. */
static bool has_phases(const dp_lowering *l, int node, dp_shape out, dp_choice *choice) {
    const dp_node *layer = &l->graph->nodes[node], *in = &l->graph->nodes[layer->inputs[0]];
    const dp_window *w = &layer->attributes.window;
    if (l->plan->direct || in->op != DP_OP_INPUT || in->shape.c > DP_PLANAR_CHANNELS
        || w->stride_y != PHASES || w->stride_x != PHASES || w->groups != 1 || w->height != w->width
        || w->height > SIDE_MAX || w->pads.top != w->pads.left)
        return false;
    choice->winograd =
        (dp_winograd_shape){ .channels = in->shape.c * PHASES * PHASES,
                             .outputs = out.c,
                             .height = out.h,
                             .width = out.w,
                             .taps = dp_ceil_div(w->height + w->pads.top % PHASES, PHASES),
                             .phases = PHASES };
    return choice->winograd.taps >= DP_WINOGRAD_TAPS_MIN;
}

static bool suits(const dp_lowering *lowering, int node, dp_choice *choice) {
    const dp_node *layer = &lowering->graph->nodes[node];
    if (layer->op != DP_OP_CONV || !has_phases(lowering, node, layer->shape, choice))
        return false;
    choice->chosen.key = dp_winograd_key(lowering->plan->kernels, &choice->winograd);
    return true;
}

static bool suits_gradient(const dp_lowering *lowering, int node, dp_choice *choice) {
    const dp_node *g = &lowering->graph->nodes[lowering->graph->nodes[node].inputs[1]];
    return has_phases(lowering, node, g->shape, choice);
}

/* A row of the picture, pairs of neighbours to two lanes of the pixels of `out`. */
static void spread_row(float *out, int lanes, const float *in, int width) {
    for (int x = 0; x < width / PHASES; x++)
        memcpy(out + (ptrdiff_t)x * lanes, in + (ptrdiff_t)x * PHASES, PHASES * sizeof *in);
    if (width % PHASES)
        out[(ptrdiff_t)(width / PHASES) * lanes] = in[width - 1];
}

/* Pixel (y, x) of channel (py * C + c) * 2 + px is pixel (2 (y - margin) + py, 2 (x - margin) + px)
 * of the picture, zero outside. */
static void run_phases(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_view *out = &step->out, *in = &step->in;
    const int lanes = run->plan->kernels->lanes, image = task / step->tasks,
              margin = step->as.phases.margin;
    const int room = (out->shape.w - margin) * PHASES, width = dp_min(in->shape.w, room);
    const float *planes =
        step->as.phases.input < 0
            ? dp_view_at(run, in, image)
            : run->call->inputs[step->as.phases.input] + (size_t)image * dp_shape_floats(in->shape);
    int begin, end;
    dp_share(out->shape.h, step->tasks, task % step->tasks, &begin, &end);
    for (int y = begin; y < end; y++) {
        float *row = dp_view_at(run, out, image) + y * out->row_stride;
        for (int block = 0; block < dp_blocks(out->shape.c, lanes); block++)
            memset(row + block * out->block_stride, 0,
                   (size_t)(out->shape.w * lanes) * sizeof *row);
        for (int k = 0; k < out->shape.c; k += PHASES) {
            int c = k / PHASES % in->shape.c,
                from = PHASES * (y - margin) + k / PHASES / in->shape.c;
            if (from >= 0 && from < in->shape.h)
                spread_row(row + k / lanes * out->block_stride + k % lanes
                               + (ptrdiff_t)margin * lanes,
                           lanes, planes + c * in->block_stride + from * in->row_stride, width);
        }
    }
}

static const dp_step_kind phases_kind = { "phases", run_phases, NULL, NULL };

/* The phases that an earlier step makes of the same picture. */
static const dp_view *find_phases(const dp_plan *plan, const dp_step *like, dp_shape phases) {
    for (int i = 0; i < plan->step_count; i++) {
        const dp_step *step = &plan->steps[i];
        if (step->kind == &phases_kind && step->name == like->name
            && step->as.phases.margin == like->as.phases.margin && step->out.shape.h == phases.h
            && step->out.shape.w == phases.w)
            return &step->out;
    }
    return NULL;
}

deeper_status dp_lower_phases(dp_lowering *l, int node, const dp_winograd_shape *shape,
                              dp_view *out, deeper_error *error) {
    const dp_node *layer = &l->graph->nodes[node], *input = &l->graph->nodes[layer->inputs[0]];
    const dp_view *view = dp_input_view(l, node, 0);
    const dp_window *w = &layer->attributes.window;
    dp_shape phases = { 0, shape->channels, shape->height + shape->taps - 1,
                        shape->width + shape->taps - 1 };
    dp_step step = { .kind = &phases_kind, .name = input->name, .in = *view };
    step.as.phases.margin = dp_ceil_div(w->pads.top, PHASES);
    const dp_view *split = find_phases(l->plan, &step, phases);
    if (split) {
        *out = *split;
        return DEEPER_OK;
    }
    DP_TRY(dp_storage_add(l->plan, phases, NULL, false, out, error));
    step.out = *out;
    step.as.phases.input = -1;
    if (view->storage < 0) { /* the caller's planes */
        step.as.phases.input = dp_input_index(l->graph, layer->inputs[0]);
        step.in.row_stride = input->shape.w;
        step.in.block_stride = (ptrdiff_t)input->shape.h * input->shape.w;
    }
    step.work = (uint64_t)dp_shape_floats(phases) * 8;
    step.tasks = dp_parts(l->plan, phases.h, step.work);
    return dp_emit_unary(l->plan, &step, error);
}

const dp_algorithm dp_algorithm_phases = { "winograd over phases", DP_FP32, suits, dp_cost_winograd,
                                           dp_lower_winograd };
const dp_algorithm dp_algorithm_phases_gradient = { "winograd over phases", DP_FP32, suits_gradient,
                                                    dp_cost_winograd, dp_lower_winograd_gradient };
