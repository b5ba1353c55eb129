/* lbfgs.c - the two loops over the last pairs of steps and changes of the gradient. */
#include "train/core/lbfgs.h"

#include <math.h>
#include <string.h>

enum { PAIRS = 8, HALVINGS = 30 };
static const double DESCENT = 1e-4; /* of what the slope promises */

typedef struct search {
    size_t count;
    int pairs, next;
    double *x, *gradient, *direction, *step[PAIRS], *change[PAIRS];
    double curvature[PAIRS]; /* step . change */
} search;

static double dot(const double *a, const double *b, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static void add(double *to, double factor, const double *from, size_t count) {
    for (size_t i = 0; i < count; i++)
        to[i] += factor * from[i];
}

/* direction = - (approximate inverse Hessian) * gradient */
static void set_direction(search *s, const double *gradient) {
    double alpha[PAIRS], *d = s->direction;
    for (size_t i = 0; i < s->count; i++)
        d[i] = -gradient[i];
    for (int k = 1; k <= s->pairs; k++) {
        int i = (s->next - k + PAIRS) % PAIRS;
        alpha[i] = dot(s->step[i], d, s->count) / s->curvature[i];
        add(d, -alpha[i], s->change[i], s->count);
    }
    if (s->pairs > 0) {
        int last = (s->next - 1 + PAIRS) % PAIRS;
        double scale = s->curvature[last] / dot(s->change[last], s->change[last], s->count);
        for (size_t i = 0; i < s->count; i++)
            d[i] *= scale;
    }
    for (int k = s->pairs; k >= 1; k--) {
        int i = (s->next - k + PAIRS) % PAIRS;
        add(d, alpha[i] - dot(s->change[i], d, s->count) / s->curvature[i], s->step[i], s->count);
    }
}

/* Keeps a pair, unless rounding has taken its curvature. */
static void remember(search *s, const double *x, const double *gradient) {
    double *step = s->step[s->next], *change = s->change[s->next];
    for (size_t i = 0; i < s->count; i++) {
        step[i] = s->x[i] - x[i];
        change[i] = s->gradient[i] - gradient[i];
    }
    s->curvature[s->next] = dot(step, change, s->count);
    if (!(s->curvature[s->next] > 1e-12 * dot(change, change, s->count)))
        return;
    s->next = (s->next + 1) % PAIRS;
    s->pairs += s->pairs < PAIRS;
}

/* One step from x, whose value and gradient are known; false: nothing descends. */
static bool advance(search *s, double *x, double *value, double *gradient,
                    const dp_function *function) {
    set_direction(s, gradient);
    double slope = dot(s->direction, gradient, s->count);
    double length = s->pairs > 0 ? 1 : 1 / (1 + sqrt(dot(gradient, gradient, s->count)));
    for (int i = 0; i < HALVINGS && slope < 0; i++, length /= 2) {
        memcpy(s->x, x, s->count * sizeof *x);
        add(s->x, length, s->direction, s->count);
        double there = function->value(function->context, s->x, s->gradient);
        if (!(there <= *value + DESCENT * length * slope && there < *value))
            continue;
        remember(s, x, gradient);
        memcpy(x, s->x, s->count * sizeof *x);
        memcpy(gradient, s->gradient, s->count * sizeof *x);
        *value = there;
        return true;
    }
    return false;
}

deeper_status dp_lbfgs(double *x, const dp_function *function, double tolerance, int iterations,
                       const deeper_allocator *allocator, deeper_error *error) {
    size_t count = function->count, all = 0;
    double *block =
        dp_size_mul(count, 4 + 2 * PAIRS, &all) ? dp_alloc(allocator, all, sizeof *block) : NULL;
    if (!block)
        return dp_fail_memory(error, "the search for a minimum");
    double *gradient = block;
    search s = { .count = count,
                 .x = block + count,
                 .gradient = block + 2 * count,
                 .direction = block + 3 * count };
    for (int i = 0; i < PAIRS; i++) {
        s.step[i] = block + (4 + 2 * (size_t)i) * count;
        s.change[i] = s.step[i] + count;
    }
    double value = function->value(function->context, x, gradient);
    for (int i = 0; i < iterations; i++)
        if (sqrt(dot(gradient, gradient, count)) <= tolerance
            || !advance(&s, x, &value, gradient, function))
            break;
    dp_free(allocator, block);
    return DEEPER_OK;
}
