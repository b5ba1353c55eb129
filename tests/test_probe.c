/* test_probe.c - the minimiser against minima that are known, and the linear probe against the
 * conditions of its minimum, worked out here in double precision. */
#include "train/core/lbfgs.h"
#include "train/core/probe.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FLOATS = 5, CLASSES = 3, TRAIN = 90, VAL = 30 };

/* ------------------------------------------------------------------------------------- minimiser
 */

/* sum over i of (i + 1)^3 (x[i] - i)^2, badly conditioned. */
static double valley(void *context, const double *x, double *gradient) {
    double value = 0;
    for (int i = 0; i < 20; i++) {
        double weight = pow(i + 1, 3), d = x[i] - i;
        value += weight * d * d;
        gradient[i] = 2 * weight * d;
    }
    ++*(int *)context;
    return value;
}

static void test_minimum(void **state) {
    double x[20] = { 0 };
    int calls = 0;
    assert_int_equal(dp_lbfgs(x, &(dp_function){ &calls, valley, 20 }, 1e-8, 500, NULL, NULL),
                     DEEPER_OK);
    for (int i = 0; i < 20; i++)
        if (!(fabs(x[i] - i) < 1e-8))
            fail_msg("x[%d] is %g", i, x[i]);
    assert_true(calls < 300);
    calls = 0; /* at the minimum nothing is left to do */
    assert_int_equal(dp_lbfgs(x, &(dp_function){ &calls, valley, 20 }, 1e-6, 500, NULL, NULL),
                     DEEPER_OK);
    assert_int_equal(calls, 1);
}

/* ----------------------------------------------------------------------------------------- probe
 */

static double noise(unsigned *seed) {
    *seed = *seed * 1664525U + 1013904223U;
    return (double)(*seed >> 8) / (1 << 24) - 0.5;
}

/* Clouds that overlap, of features far from 0 and of different sizes. */
static void make(dp_features_set *set, size_t count, unsigned seed) {
    *set = (dp_features_set){ .count = count };
    set->values = malloc(count * FLOATS * sizeof(float));
    set->labels = malloc(count * 2 * sizeof(float));
    set->numbers = calloc(count, sizeof *set->numbers);
    for (size_t n = 0; n < count; n++) {
        size_t label = n % CLASSES;
        set->labels[2 * n] = (float)label;
        set->labels[2 * n + 1] = n % 2 ? 1.0F : 0.5F;
        for (size_t k = 0; k < FLOATS; k++)
            set->values[n * FLOATS + k] =
                (float)(10 + (double)(k + 1) * (noise(&seed) + (k == label ? 0.6 : 0)));
    }
}

static void release(dp_features_set *set) {
    free(set->values);
    free(set->labels);
    free(set->numbers);
}

/* Mean of the features, and the square of their scale. */
static double describe(const dp_features_set *set, double *mean) {
    double spread = 0;
    memset(mean, 0, FLOATS * sizeof *mean);
    for (size_t i = 0; i < set->count * FLOATS; i++)
        mean[i % FLOATS] += (double)set->values[i] / (double)set->count;
    for (size_t i = 0; i < set->count * FLOATS; i++)
        spread += pow((double)set->values[i] - mean[i % FLOATS], 2) / (double)set->count;
    return spread;
}

/* The gradient of the objective with respect to the weights of z, at the probe, in double. */
static double gradient_norm(const dp_probe *p, const dp_features_set *set) {
    double mean[FLOATS], spread = describe(set, mean), scale = sqrt(spread), weight = 0, norm = 0;
    double g[CLASSES][FLOATS + 1] = { 0 };
    for (size_t n = 0; n < set->count; n++) {
        double e[CLASSES], sum = 0, c = (double)set->labels[2 * n + 1];
        const float *x = set->values + n * FLOATS;
        for (size_t k = 0; k < CLASSES; k++) {
            double score = (double)p->biases[k];
            for (size_t i = 0; i < FLOATS; i++)
                score += (double)p->weights[k * FLOATS + i] * (double)x[i];
            sum += e[k] = exp(score);
        }
        for (size_t k = 0; k < CLASSES; k++) {
            double d = c * (e[k] / sum - (k == (size_t)set->labels[2 * n]));
            for (size_t i = 0; i < FLOATS; i++)
                g[k][i] += d * ((double)x[i] - mean[i]) / scale;
            g[k][FLOATS] += d;
        }
        weight += c;
    }
    for (size_t k = 0; k < CLASSES; k++)
        for (size_t i = 0; i <= FLOATS; i++) {
            double w = i < FLOATS ? (double)p->weights[k * FLOATS + i] * scale : 0;
            norm += pow(g[k][i] / weight + p->strength * w, 2);
        }
    return sqrt(norm);
}

static void test_probe(void **state) {
    dp_probe probes[2];
    dp_features_set same;
    make(&same, TRAIN, 1);
    for (int threads = 1; threads <= 2; threads++) {
        dp_features_set train, val;
        make(&train, TRAIN, 1);
        make(&val, VAL, 2);
        assert_int_equal(
            dp_probe_fit(&probes[threads - 1], FLOATS, CLASSES, &train, &val, threads, NULL, NULL),
            DEEPER_OK);
        release(&train);
        release(&val);
    }
    const dp_probe *p = &probes[0];
    assert_true(p->top1 > 0.7 && p->top1 < 1 && p->loss > 0 && p->loss < log(CLASSES));
    /* 1e-4 where the search ends; the weights are floats, of scores of up to some 50 */
    double norm = gradient_norm(p, &same);
    if (!(norm < 3e-4))
        fail_msg("the gradient at the minimum is %g", norm);
    double sum = 0;
    for (size_t k = 0; k < CLASSES; k++)
        sum += (double)p->answers[k];
    assert_true(fabs(sum - 1) < 1e-5);
    assert_memory_equal(p->weights, probes[1].weights, CLASSES * FLOATS * sizeof(float));
    assert_memory_equal(p->answers, probes[1].answers, VAL * CLASSES * sizeof(float));
    dp_probe_free(&probes[0], NULL);
    dp_probe_free(&probes[1], NULL);
    release(&same);
}

/* Features that do not differ: a probe of the frequencies, not of a division by 0; and ones that
 * are no numbers. */
static void test_odd_features(void **state) {
    dp_probe p;
    dp_features_set train, val;
    deeper_error error;
    make(&train, TRAIN, 1);
    make(&val, VAL, 2);
    for (size_t i = 0; i < TRAIN * FLOATS; i++)
        train.values[i] = 3;
    assert_int_equal(dp_probe_fit(&p, FLOATS, CLASSES, &train, &val, 1, NULL, &error), DEEPER_OK);
    assert_true(isfinite(p.loss));
    dp_probe_free(&p, NULL);
    train.values[7] = NAN;
    assert_int_equal(dp_probe_fit(&p, FLOATS, CLASSES, &train, &val, 1, NULL, &error),
                     DEEPER_ERROR_NUMBER);
    release(&train);
    release(&val);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_minimum),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_odd_features),
    };
    return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
