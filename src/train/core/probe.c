/* probe.c - the regression is a network of one layer, so that losses and gradients come from the
 * same plans and kernels as all training. */
#include "train/core/probe.h"

#include "base/float_mode.h"
#include "eval/metrics.h"
#include "graph/build.h"
#include "session/session.h"
#include "train/core/lbfgs.h"
#include "train/core/learner.h"

#include <math.h>
#include <string.h>

enum {
    BATCH = 256,
    ITERATIONS = 300,
    WORSE = 3 /* strengths after the best that end the search */
};
static const double STRENGTHS[] = { 1, 0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5 },
                    TOLERANCE = 1e-4; /* of the gradient's norm */

/* A probe being fitted. */
typedef struct fitting {
    dp_model *model; /* data -> scores -> prob */
    dp_learner *learner;
    size_t floats, classes, count; /* count: of the parameters, weights before biases */
    const dp_features_set *train;
    double weight; /* sum over the pictures */
    double strength;
} fitting;

/* ----------------------------------------------------------------------------------- standardise
 */

/* Sum over pictures of |x - mean|^2 / count; mean[floats] is filled. */
static double measure_spread(const dp_features_set *set, size_t floats, double *mean) {
    double spread = 0;
    memset(mean, 0, floats * sizeof *mean);
    for (size_t n = 0; n < set->count; n++)
        for (size_t k = 0; k < floats; k++)
            mean[k] += (double)set->values[n * floats + k] / (double)set->count;
    for (size_t n = 0; n < set->count; n++)
        for (size_t k = 0; k < floats; k++) {
            double d = (double)set->values[n * floats + k] - mean[k];
            spread += d * d / (double)set->count;
        }
    return spread;
}

static void standardise(dp_features_set *set, size_t floats, const double *mean, double scale) {
    for (size_t n = 0; n < set->count; n++)
        for (size_t k = 0; k < floats; k++) {
            float *x = &set->values[n * floats + k];
            *x = (float)(((double)*x - mean[k]) / scale);
        }
}

/* --------------------------------------------------------------------------------------- function
 */

static deeper_status make_model(fitting *f, const deeper_allocator *allocator,
                                deeper_error *error) {
    dp_graph *graph = NULL;
    DP_TRY(dp_graph_create(&graph, allocator, error));
    int data = dp_add_input(graph, "data", (int)f->floats, 1, 1);
    dp_add_softmax(graph, "prob", dp_add_fc(graph, "scores", data, (int)f->classes));
    DP_TRY(dp_model_from_graph(&f->model, graph, error));
    return dp_model_allocate(f->model, error);
}

static void set_values(const fitting *f, const double *x) {
    for (size_t i = 0; i < f->count; i++)
        f->model->arena[i] = (float)x[i];
}

/* The objective; see the header. */
static double value(void *context, const double *x, double *gradient) {
    const fitting *f = context;
    const dp_features_set *set = f->train;
    double loss = 0, norm = 0;
    set_values(f, x);
    for (size_t n = 0; n < set->count; n += BATCH) {
        int count = set->count - n < BATCH ? (int)(set->count - n) : BATCH;
        dp_learner_run(f->learner, set->values + n * f->floats, set->labels + 2 * n, count, n == 0,
                       0);
        for (int i = 0; i < count; i++)
            loss += (double)f->learner->losses[0][i];
    }
    for (size_t i = 0; i < f->count; i++)
        gradient[i] = (double)f->learner->gradients[i] / f->weight;
    for (size_t i = 0; i < f->classes * f->floats; i++) {
        gradient[i] += f->strength * x[i];
        norm += x[i] * x[i];
    }
    return loss / f->weight + f->strength / 2 * norm;
}

/* ----------------------------------------------------------------------------------------- choose
 */

/* The answers of the present values to the pictures, count x classes. */
static deeper_status answer(const fitting *f, const dp_features_set *set, int threads,
                            float *answers, deeper_error *error) {
    dp_packs *packs = NULL;
    dp_session *session = NULL;
    const dp_session_options options = {
        .max_batch = BATCH, .threads = threads, .outputs = &f->model->prob, .output_count = 1
    };
    deeper_status status = dp_packs_create(&packs, f->model->allocator, error);
    if (status == DEEPER_OK)
        status = dp_session_create(&session, f->model, packs, &options, error);
    for (size_t n = 0; n < set->count && status == DEEPER_OK; n += BATCH) {
        int count = set->count - n < BATCH ? (int)(set->count - n) : BATCH;
        float *outputs[] = { answers + n * f->classes };
        dp_session_run(session, set->values + n * f->floats, count, outputs);
    }
    dp_session_free(session);
    dp_packs_free(packs);
    return status;
}

/* The weights of x, from those of z. */
static void keep(dp_probe *p, const fitting *f, const double *mean, double scale) {
    const float *w = f->model->arena, *b = w + f->classes * f->floats;
    for (size_t c = 0; c < f->classes; c++) {
        double bias = (double)b[c];
        for (size_t k = 0; k < f->floats; k++) {
            double weight = (double)w[c * f->floats + k] / scale;
            p->weights[c * f->floats + k] = (float)weight;
            bias -= weight * mean[k];
        }
        p->biases[c] = (float)bias;
    }
}

/* From the strongest on, each from where the one before ended. */
static deeper_status choose(dp_probe *p, fitting *f, const dp_features_set *val, int threads,
                            double *x, const double *mean, double scale, deeper_error *error) {
    const deeper_allocator *allocator = f->model->allocator;
    const dp_function function = { f, value, f->count };
    float *answers = dp_alloc_raw(allocator, val->count * f->classes, sizeof *answers);
    deeper_status status = answers ? DEEPER_OK : dp_fail_memory(error, "the answers of a probe");
    int worse = 0;
    for (size_t i = 0; i < sizeof STRENGTHS / sizeof *STRENGTHS && worse < WORSE; i++) {
        dp_metrics metrics = { 0 };
        f->strength = STRENGTHS[i];
        if (status == DEEPER_OK)
            status = dp_lbfgs(x, &function, TOLERANCE, ITERATIONS, allocator, error);
        if (status != DEEPER_OK)
            break;
        set_values(f, x);
        status = answer(f, val, threads, answers, error);
        for (size_t n = 0; n < val->count && status == DEEPER_OK; n++)
            dp_metrics_add(&metrics, answers + n * f->classes, f->classes,
                           (size_t)val->labels[2 * n]);
        double top1 = (double)metrics.top1 / (double)val->count,
               loss = metrics.loss / (double)val->count;
        worse++;
        if (i > 0 && !(top1 > p->top1 || (top1 == p->top1 && loss < p->loss)))
            continue;
        worse = 0;
        p->strength = f->strength;
        p->top1 = top1;
        p->loss = loss;
        memcpy(p->answers, answers, val->count * f->classes * sizeof *answers);
        keep(p, f, mean, scale);
    }
    dp_free(allocator, answers);
    return status;
}

/* -------------------------------------------------------------------------------------------- fit
 */

void dp_probe_free(dp_probe *p, const deeper_allocator *allocator) {
    dp_free(allocator, p->weights);
    dp_free(allocator, p->biases);
    dp_free(allocator, p->answers);
    *p = (dp_probe){ 0 };
}

static deeper_status fit(dp_probe *p, fitting *f, dp_features_set *val, int threads, double *x,
                         double *mean, deeper_error *error) {
    double scale = sqrt(measure_spread(f->train, f->floats, mean));
    if (!isfinite(scale))
        return dp_fail(error, DEEPER_ERROR_NUMBER,
                       "the network's features of the pictures are not numbers");
    scale = scale > 0 ? scale : 1;
    standardise((dp_features_set *)(uintptr_t)f->train, f->floats, mean, scale);
    standardise(val, f->floats, mean, scale);
    for (size_t n = 0; n < f->train->count; n++)
        f->weight += (double)f->train->labels[2 * n + 1];
    const dp_learner_options options = { .max_batch = BATCH, .threads = threads, .adds = true };
    DP_TRY(dp_learner_create(&f->learner, f->model, &options, f->model->allocator, error));
    uint64_t mode = dp_float_mode_enter();
    deeper_status status = choose(p, f, val, threads, x, mean, scale, error);
    dp_float_mode_leave(mode);
    return status;
}

deeper_status dp_probe_fit(dp_probe *p, size_t floats, size_t classes, dp_features_set *train,
                           dp_features_set *val, int threads, const deeper_allocator *allocator,
                           deeper_error *error) {
    fitting f = {
        .floats = floats, .classes = classes, .count = classes * (floats + 1), .train = train
    };
    *p = (dp_probe){ .floats = floats, .classes = classes };
    double *x = dp_alloc(allocator, f.count, sizeof *x);
    double *mean = dp_alloc(allocator, floats, sizeof *mean);
    p->weights = dp_alloc(allocator, classes * floats, sizeof(float));
    p->biases = dp_alloc(allocator, classes, sizeof(float));
    p->answers = dp_alloc(allocator, val->count * classes, sizeof(float));
    deeper_status status = x && mean && p->weights && p->biases && p->answers
                               ? make_model(&f, allocator, error)
                               : dp_fail_memory(error, "a probe");
    if (status == DEEPER_OK)
        status = fit(p, &f, val, threads, x, mean, error);
    dp_learner_free(f.learner);
    dp_model_free(f.model);
    dp_free(allocator, x);
    dp_free(allocator, mean);
    if (status != DEEPER_OK)
        dp_probe_free(p, allocator);
    return status;
}
