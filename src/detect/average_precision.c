/* average_precision.c - the table of figures, the curve of a list, and its averages. A curve is
 * kept only where a box was found: between two of these recall stands still and precision falls, so
 * no rule looks there. */
#include "detect/average_precision.h"
#include "base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COCO_LIST(area_) (DP_LIST_COCO + (area_)*DP_COCO_STEPS)
#define COCO_MEAN "mean over overlaps .50:.05:.95 of precision at 101 recalls"

static const dp_figure figures[] = {
    { "AP", "coco", COCO_MEAN, DP_POINTS_101, COCO_LIST(0), DP_COCO_STEPS, 100 },
    { "AP50", "coco", "precision at 101 recalls, overlap .50", DP_POINTS_101, COCO_LIST(0), 1,
      100 },
    { "AP75", "coco", "precision at 101 recalls, overlap .75", DP_POINTS_101, COCO_LIST(0) + 5, 1,
      100 },
    { "APs", "coco", COCO_MEAN ", areas to 32 x 32", DP_POINTS_101, COCO_LIST(1), DP_COCO_STEPS,
      100 },
    { "APm", "coco", COCO_MEAN ", areas to 96 x 96", DP_POINTS_101, COCO_LIST(2), DP_COCO_STEPS,
      100 },
    { "APl", "coco", COCO_MEAN ", larger areas", DP_POINTS_101, COCO_LIST(3), DP_COCO_STEPS, 100 },
    { "AR1", "coco", "recall with 1 detection a photo and class", DP_RECALL, COCO_LIST(0),
      DP_COCO_STEPS, 1 },
    { "AR10", "coco", "recall with 10 detections a photo and class", DP_RECALL, COCO_LIST(0),
      DP_COCO_STEPS, 10 },
    { "AR100", "coco", "recall with 100 detections a photo and class", DP_RECALL, COCO_LIST(0),
      DP_COCO_STEPS, 100 },
    { "ARs", "coco", "recall with 100, areas to 32 x 32", DP_RECALL, COCO_LIST(1), DP_COCO_STEPS,
      100 },
    { "ARm", "coco", "recall with 100, areas to 96 x 96", DP_RECALL, COCO_LIST(2), DP_COCO_STEPS,
      100 },
    { "ARl", "coco", "recall with 100, larger areas", DP_RECALL, COCO_LIST(3), DP_COCO_STEPS, 100 },
    { "AP", "voc07", "precision at 11 recalls, overlap .5", DP_POINTS_11, DP_LIST_VOC, 1, 0 },
    { "AP", "voc10", "area under precision, overlap .5", DP_AREA, DP_LIST_VOC, 1, 0 },
    { "AP", "ilsvrc", "area under precision, overlap .5, less for small boxes", DP_AREA,
      DP_LIST_ILSVRC, 1, 0 },
};

size_t dp_figure_count(void) {
    return sizeof figures / sizeof *figures;
}

const dp_figure *dp_figure_at(size_t index) {
    return index < dp_figure_count() ? &figures[index] : NULL;
}

/* What a list and `best` select of a class, with photos counted `weights` times (NULL: once). */
typedef struct selection {
    const dp_answer *answers;
    const uint8_t *outcomes;
    size_t count;
    uint32_t best;
    const uint16_t *weights;
} selection;

/* precision over recall where boxes are found; `right`: of them, weights included. */
typedef struct curve {
    double *right, *precision;
    size_t count;
} curve;

static void curve_make(curve *c, const selection *s) {
    double right = 0, wrong = 0;
    c->count = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (s->outcomes[i] == DP_NEITHER || (s->best && s->answers[i].rank >= s->best))
            continue;
        const double weight = s->weights ? s->weights[s->answers[i].image] : 1;
        if (s->outcomes[i] == DP_WRONG) {
            wrong += weight;
        } else if (weight > 0) {
            right += weight;
            c->right[c->count] = right;
            c->precision[c->count++] = right / (right + wrong);
        }
    }
    for (size_t i = c->count; i-- > 1;)
        if (c->precision[i - 1] < c->precision[i])
            c->precision[i - 1] = c->precision[i];
}

/* The mean of P at recalls 0, 1 / steps ... 1. */
static double points(const curve *c, double targets, int steps) {
    double sum = 0;
    size_t i = 0;
    for (int step = 0; step <= steps; step++) {
        /* As COCO's own program has them: multiples of the rounded step, but 1 for the last. */
        const double recall = step == steps ? 1 : step * (1.0 / steps);
        while (i < c->count && c->right[i] / targets < recall)
            i++;
        if (i < c->count)
            sum += c->precision[i];
    }
    return sum / (steps + 1);
}

/* VOC's devkit counts in tenths, which as multiples of .1 are not the nearest numbers. */
static double points_11(const curve *c, double targets) {
    double sum = 0;
    size_t i = 0;
    for (int step = 0; step <= 10; step++) {
        while (i < c->count && c->right[i] / targets < step / 10.0)
            i++;
        if (i < c->count)
            sum += c->precision[i];
    }
    return sum / 11;
}

static double area(const curve *c, double targets) {
    double sum = 0, before = 0;
    for (size_t i = 0; i < c->count; i++) {
        sum += (c->right[i] - before) / targets * c->precision[i];
        before = c->right[i];
    }
    return sum;
}

static double measure(const curve *c, double targets, dp_measure how) {
    switch (how) {
    case DP_POINTS_11:
        return points_11(c, targets);
    case DP_AREA:
        return area(c, targets);
    case DP_POINTS_101:
        return points(c, targets, 100);
    case DP_RECALL:
        return c->count ? c->right[c->count - 1] / targets : 0;
    }
    return NAN;
}

double dp_average_precision_of(const uint8_t *outcomes, size_t count, size_t targets,
                               dp_measure how, double *scratch) {
    const selection s = { .outcomes = outcomes, .count = count };
    curve c = { .right = scratch, .precision = scratch + count };
    curve_make(&c, &s);
    return measure(&c, (double)targets, how);
}

/* Boxes of a class that a list counts, photos weighted. */
static double weighted_targets(const dp_matches *m, size_t class_index, int list,
                               const uint16_t *weights) {
    double sum = 0;
    if (!weights)
        return (double)dp_matches_targets(m, class_index, list);
    for (size_t i = m->first_target[class_index]; i < m->first_target[class_index + 1]; i++)
        if (m->targets[i].areas >> dp_list_area(list) & 1)
            sum += weights[m->targets[i].image];
    return sum;
}

/* values[class] of one figure; NAN without boxes. Returns the mean of the others. */
static double figure_values(double *values, const dp_figure *figure, const dp_matches *m,
                            const uint16_t *weights, double *scratch) {
    double sum = 0;
    size_t classes = 0;
    curve c = { .right = scratch, .precision = scratch + m->answer_count };
    for (size_t k = 0; k < m->classes; k++) {
        const size_t first = m->first_answer[k], count = m->first_answer[k + 1] - first;
        const double targets = weighted_targets(m, k, figure->list, weights);
        double value = 0;
        for (int list = figure->list; targets > 0 && list < figure->list + figure->lists; list++) {
            const selection s = { .answers = m->answers + first,
                                  .outcomes = dp_matches_outcomes(m, list) + first,
                                  .count = count,
                                  .best = figure->best,
                                  .weights = weights };
            curve_make(&c, &s);
            value += measure(&c, targets, figure->measure);
        }
        value = targets > 0 ? value / figure->lists : (double)NAN;
        if (values)
            values[k] = value;
        if (targets > 0) {
            sum += value;
            classes++;
        }
    }
    return classes ? sum / (double)classes : (double)NAN;
}

deeper_status dp_average_precision(double *values, double *means, const dp_matches *matches,
                                   deeper_error *error) {
    double *scratch = dp_alloc_raw(matches->allocator, matches->answer_count, 2 * sizeof *scratch);
    if (!scratch)
        return dp_fail_memory(error, "a curve of precision over recall");
    for (size_t f = 0; f < dp_figure_count(); f++)
        means[f] =
            figure_values(values + f * matches->classes, &figures[f], matches, NULL, scratch);
    dp_free(matches->allocator, scratch);
    return DEEPER_OK;
}

/* -------------------------------------------------------------------------------------- intervals
 */

static int by_value(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The bounds of the middle 95 % of sorted values. */
static void middle(double interval[2], double *values, size_t count) {
    qsort(values, count, sizeof *values, by_value);
    interval[0] = values[(size_t)(0.025 * (double)(count - 1))];
    interval[1] = values[(size_t)ceil(0.975 * (double)(count - 1))];
}

deeper_status dp_average_precision_intervals(double *intervals, const dp_matches *matches,
                                             size_t resamples, uint64_t seed, deeper_error *error) {
    const size_t count = dp_figure_count();
    double *scratch = dp_alloc_raw(matches->allocator, matches->answer_count, 2 * sizeof *scratch);
    uint16_t *weights = dp_alloc(matches->allocator, matches->images, sizeof *weights);
    double *means = dp_alloc_raw(matches->allocator, resamples, count * sizeof *means);
    size_t sizes[sizeof figures / sizeof *figures] = { 0 };
    const bool enough = scratch && weights && means;
    for (size_t r = 0; enough && r < resamples; r++) {
        dp_random random = dp_random_at(seed, r, 0);
        memset(weights, 0, matches->images * sizeof *weights);
        for (size_t i = 0; i < matches->images; i++) {
            const uint32_t image = dp_random_below(&random, (uint32_t)matches->images);
            weights[image] += weights[image] < UINT16_MAX;
        }
        for (size_t f = 0; f < count; f++) {
            const double mean = figure_values(NULL, &figures[f], matches, weights, scratch);
            if (!isnan(mean)) /* no box of that size was drawn */
                means[f * resamples + sizes[f]++] = mean;
        }
    }
    for (size_t f = 0; enough && f < count; f++) {
        intervals[2 * f] = intervals[2 * f + 1] = (double)NAN;
        if (sizes[f])
            middle(intervals + 2 * f, means + f * resamples, sizes[f]);
    }
    dp_free(matches->allocator, scratch);
    dp_free(matches->allocator, weights);
    dp_free(matches->allocator, means);
    return enough ? DEEPER_OK : dp_fail_memory(error, "the resampled photos");
}
