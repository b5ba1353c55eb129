/* normalize.c - statistics of each picture: (x - mean) / sqrt(variance + epsilon) over the channels
 * of a group and all pixels, or over those of each pixel; and the error function. Both stand in
 * imported networks only, so they are plain C over the channels, in one order on every instruction
 * set. Letters: L lanes, C channels. */
#include "plan/passes.h"

#include <math.h>
#include <string.h>

/* Where channel c of a view begins in one image. */
static float *channel_at(const dp_run *run, const dp_view *view, int image, int c) {
    int lanes = run->plan->kernels->lanes;
    return dp_view_at(run, view, image) + c / lanes * view->block_stride + c % lanes;
}

/* Channels first..first+count-1 of rows y0..y1-1 and columns x0..x1-1 of an image. */
typedef struct region {
    int image, first, count, y0, y1, x0, x1;
} region;

/* Sum of (value - mean), or of its square. */
static double sum_of(const dp_run *run, const dp_view *view, const region *r, double mean,
                     bool square) {
    int lanes = run->plan->kernels->lanes;
    double sum = 0;
    for (int c = r->first; c < r->first + r->count; c++) {
        const float *plane = channel_at(run, view, r->image, c);
        for (int y = r->y0; y < r->y1; y++)
            for (int x = r->x0; x < r->x1; x++) {
                double off = (double)plane[y * view->row_stride + (ptrdiff_t)x * lanes] - mean;
                sum += square ? off * off : off;
            }
    }
    return sum;
}

static void normalize_region(const dp_run *run, const dp_step *step, const region *r) {
    int lanes = run->plan->kernels->lanes;
    double count = (double)r->count * (r->y1 - r->y0) * (r->x1 - r->x0),
           mean = sum_of(run, &step->in, r, 0, false) / count,
           variance = sum_of(run, &step->in, r, mean, true) / count,
           scale = 1 / sqrt(variance + (double)step->as.normalize.epsilon);
    for (int c = r->first; c < r->first + r->count; c++) {
        const float *from = channel_at(run, &step->in, r->image, c);
        float *to = channel_at(run, &step->out, r->image, c);
        for (int y = r->y0; y < r->y1; y++)
            for (int x = r->x0; x < r->x1; x++)
                to[y * step->out.row_stride + (ptrdiff_t)x * lanes] =
                    (float)(((double)from[y * step->in.row_stride + (ptrdiff_t)x * lanes] - mean)
                            * scale);
    }
}

/* Lanes past the last channel stay zero. */
static void clear_tail(const dp_run *run, const dp_view *view, int image, int y0, int y1) {
    int lanes = run->plan->kernels->lanes, c = view->shape.c;
    if (c % lanes == 0)
        return;
    float *plane = channel_at(run, view, image, c);
    for (int y = y0; y < y1; y++)
        for (int x = 0; x < view->shape.w; x++)
            memset(plane + y * view->row_stride + (ptrdiff_t)x * lanes, 0,
                   (size_t)(lanes - c % lanes) * sizeof *plane);
}

/* A task has rows, each pixel with its own statistics, or groups. */
static void run_normalize(const dp_run *run, const dp_step *step, int task, int worker) {
    const dp_shape shape = step->out.shape;
    const dp_normalize *n = &step->as.normalize;
    int image = task / step->tasks, share = shape.c / n->groups, begin, end;
    dp_share(n->pixels ? shape.h : n->groups, step->tasks, task % step->tasks, &begin, &end);
    for (int i = begin; i < end; i++) {
        region r = { image, i * share, share, 0, shape.h, 0, shape.w };
        if (!n->pixels) {
            normalize_region(run, step, &r);
            continue;
        }
        for (int x = 0; x < shape.w; x++)
            for (int group = 0; group < n->groups; group++) {
                r = (region){ image, group * share, share, i, i + 1, x, x + 1 };
                normalize_region(run, step, &r);
            }
    }
    if (n->pixels)
        clear_tail(run, &step->out, image, begin, end);
    else if (end == n->groups)
        clear_tail(run, &step->out, image, 0, shape.h);
}

/* The rational function of Eigen: within some 4e-7 of erf(x). */
static float error_function(float x) {
    float bounded = x < -4 ? -4 : x > 4 ? 4 : x, square = bounded * bounded;
    float p = -2.72614225801306e-10F, q = -1.45660718464996e-05F;
    p = p * square + 2.77068142495902e-08F;
    p = p * square - 2.10102402082508e-06F;
    p = p * square - 5.69250639462346e-05F;
    p = p * square - 7.34990630326855e-04F;
    p = p * square - 2.95459980854025e-03F;
    p = p * square - 1.60960333262415e-02F;
    q = q * square - 2.13374055278905e-04F;
    q = q * square - 1.68282697438203e-03F;
    q = q * square - 7.37332916720468e-03F;
    q = q * square - 1.42647390514189e-02F;
    return bounded * p / q;
}

static void run_erf(const dp_run *run, const dp_step *step, int task, int worker) {
    int lanes = run->plan->kernels->lanes, image = task / step->tasks, begin, end;
    const dp_view *in = &step->in, *out = &step->out;
    dp_share(dp_blocks(out->shape.c, lanes), step->tasks, task % step->tasks, &begin, &end);
    for (int block = begin; block < end; block++)
        for (int y = 0; y < out->shape.h; y++) {
            const float *from = dp_row_at(run, in, image, block, y);
            float *to = dp_row_at(run, out, image, block, y);
            for (int i = 0; i < out->shape.w * lanes; i++)
                to[i] = error_function(from[i]);
        }
}

static const dp_step_kind normalize_kind = { "normalize", run_normalize, NULL, NULL };
static const dp_step_kind erf_kind = { "erf", run_erf, NULL, NULL };

static dp_step unary(const dp_lowering *l, int node, const dp_step_kind *kind, int work) {
    return (dp_step){ .kind = kind,
                      .name = l->graph->nodes[node].name,
                      .in = *dp_input_view(l, node, 0),
                      .out = l->views[node],
                      .work = dp_shape_floats(l->graph->nodes[node].shape) * (uint64_t)work };
}

deeper_status dp_lower_normalize(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = unary(lowering, node, &normalize_kind, 64);
    step.as.normalize = lowering->graph->nodes[node].attributes.normalize;
    step.tasks =
        dp_parts(lowering->plan,
                 step.as.normalize.pixels ? step.out.shape.h : step.as.normalize.groups, step.work);
    return dp_emit_unary(lowering->plan, &step, error);
}

deeper_status dp_lower_erf(dp_lowering *lowering, int node, deeper_error *error) {
    dp_step step = unary(lowering, node, &erf_kind, 32);
    step.tasks = dp_parts(lowering->plan,
                          dp_blocks(step.out.shape.c, lowering->plan->kernels->lanes), step.work);
    return dp_emit_unary(lowering->plan, &step, error);
}
