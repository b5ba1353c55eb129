/* validate.c - a session over a copy of the model's values, fed with batches. */
#include "train/run/validate.h"

#include "base/top.h"
#include "eval/metrics.h"
#include "session/session.h"
#include "train/core/batches.h"

#include <math.h>
#include <string.h>

/* One measurement under way. */
typedef struct measurement {
    dp_validation *result;
    dp_model model; /* the network's, but for its values */
    dp_packs *packs;
    dp_session *session;
    dp_batches *batches;
    const dp_picture_set *set;
    float *outputs[DP_HEADS];
    dp_metrics metrics[DP_HEADS];
} measurement;

void dp_validation_free(dp_validation *v) {
    dp_free(v->allocator, v->confusion);
    dp_free(v->allocator, v->predictions);
    *v = (dp_validation){ 0 };
}

/* The heads in the order of all reports, main first: heads[h] is the node of its softmax. Returns
 * how many. */
static int find_heads(const dp_graph *graph, int heads[DP_HEADS]) {
    int count = 0;
    for (int main_head = 1; main_head >= 0; main_head--)
        for (int i = 0; i < graph->count && count < DP_HEADS; i++)
            if (graph->nodes[i].op == DP_OP_SOFTMAX
                && (graph->nodes[i].head == DP_HEAD_MAIN) == main_head)
                heads[count++] = i;
    return count;
}

/* The confusion matrix of the classes, and room for what is said of each picture. */
static deeper_status make_confusion(dp_validation *v, size_t classes, size_t pictures,
                                    deeper_error *error) {
    size_t cells = 0;
    v->classes = classes;
    v->confusion = dp_size_mul(classes, classes, &cells)
                       ? dp_alloc(v->allocator, cells, sizeof *v->confusion)
                       : NULL;
    v->predictions = dp_alloc(v->allocator, pictures, sizeof *v->predictions);
    v->prediction_count = pictures;
    return v->confusion && v->predictions ? DEEPER_OK
                                          : dp_fail_memory(error, "the confusion matrix");
}

static void close(measurement *m) {
    const deeper_allocator *allocator = m->model.allocator;
    dp_batches_close(m->batches);
    dp_session_free(m->session);
    dp_packs_free(m->packs);
    for (int h = 0; h < DP_HEADS; h++)
        dp_free(allocator, m->outputs[h]);
    dp_free(allocator, m->model.values);
}

static deeper_status open(measurement *m, int batch, int threads, int readers,
                          const deeper_train_calls *calls, deeper_error *error) {
    const deeper_allocator *allocator = m->model.allocator;
    int heads[DP_HEADS];
    dp_validation *v = m->result;
    v->heads = find_heads(m->model.graph, heads);
    DP_TRY(make_confusion(v, (size_t)m->model.classes, m->set->dataset->image_count, error));
    DP_TRY(dp_packs_create(&m->packs, allocator, error));
    const dp_session_options session = {
        .max_batch = batch, .threads = threads, .outputs = heads, .output_count = v->heads
    };
    DP_TRY(dp_session_create(&m->session, &m->model, m->packs, &session, error));
    for (int h = 0; h < v->heads; h++) {
        m->outputs[h] = dp_alloc_raw(allocator, v->classes * (size_t)batch, sizeof(float));
        if (!m->outputs[h])
            return dp_fail_memory(error, "the validation");
    }
    const dp_batches_options batches = { .set = m->set,
                                         .batch = batch,
                                         .readers = readers,
                                         .preprocess = &m->model.preprocess,
                                         .calls = calls };
    return dp_batches_open(&m->batches, &batches, allocator, error);
}

/* Picture `number`, whose class is `label`, by the answers of each head. */
static void score(dp_validation *v, dp_metrics *metrics, const float *const *answers, size_t label,
                  size_t number) {
    size_t best = 0;
    for (int h = 0; h < v->heads; h++)
        dp_metrics_add(&metrics[h], answers[h], v->classes, label);
    if (dp_top_k(answers[0], v->classes, 1, &best) == 0)
        return; /* not a number: an answer that names no class */
    double probability = (double)answers[0][best];
    v->confusion[label * v->classes + best]++;
    v->predictions[number] = (dp_prediction){ (uint32_t)best, answers[0][best], true };
    dp_calibration_add(&v->calibration, probability, best == label);
    if (best != label)
        dp_mistakes_note(&v->mistakes, &(dp_mistake){ number, label, best, probability });
}

/* What the sums come to. */
static void conclude(dp_validation *v, const dp_metrics *metrics) {
    v->images = metrics[0].images;
    for (int h = 0; h < v->heads; h++)
        v->losses[h] = isfinite(metrics[h].loss) ? metrics[h].loss / (double)v->images
                                                 : (double)NAN; /* one kind of it */
    v->top1 = (double)metrics[0].top1 / (double)v->images;
    v->top5 = (double)metrics[0].top5 / (double)v->images;
}

static void score_batch(measurement *m, const dp_batch *batch) {
    dp_validation *v = m->result;
    for (int n = 0; n < batch->count; n++) {
        const float *answers[DP_HEADS];
        for (int h = 0; h < v->heads; h++)
            answers[h] = m->outputs[h] + (size_t)n * v->classes;
        score(v, m->metrics, answers, (size_t)batch->labels[2 * n], batch->numbers[n]);
    }
    v->unreadable += (uint64_t)(batch->taken - batch->count);
}

static deeper_status measure(measurement *m, deeper_error *error) {
    dp_validation *v = m->result;
    dp_batch batch;
    for (;;) {
        DP_TRY(dp_batches_next(m->batches, &batch, error));
        if (batch.taken == 0)
            break;
        if (batch.count == 0) {
            v->unreadable += (uint64_t)batch.taken;
            continue;
        }
        dp_session_run(m->session, batch.tensors, batch.count, m->outputs);
        score_batch(m, &batch);
    }
    if (m->metrics[0].images == 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: none of its %zu validation pictures could be read",
                       m->set->dataset->path, m->set->dataset->image_count);
    conclude(v, m->metrics);
    return DEEPER_OK;
}

deeper_status dp_validate(dp_validation *validation, const dp_model *model, float *arena,
                          const dp_picture_set *set, int batch, int threads, int readers,
                          const deeper_train_calls *calls, deeper_error *error) {
    *validation = (dp_validation){ .allocator = model->allocator };
    measurement m = { .result = validation,
                      .set = set,
                      .model = { .allocator = model->allocator } };
    deeper_status status = dp_model_at(&m.model, model, arena, error);
    if (status == DEEPER_OK)
        status = open(&m, batch, threads, readers, calls, error);
    if (status == DEEPER_OK)
        status = measure(&m, error);
    close(&m);
    if (status != DEEPER_OK)
        dp_validation_free(validation);
    return status;
}

deeper_status dp_validation_of(dp_validation *validation, const float *answers, size_t classes,
                               const float *labels, const size_t *numbers, size_t count,
                               const deeper_allocator *allocator, deeper_error *error) {
    dp_metrics metrics = { 0 };
    *validation = (dp_validation){ .allocator = allocator, .heads = 1 };
    size_t pictures = 0;
    for (size_t n = 0; n < count; n++)
        pictures = numbers[n] >= pictures ? numbers[n] + 1 : pictures;
    DP_TRY(make_confusion(validation, classes, pictures, error));
    for (size_t n = 0; n < count; n++, answers += classes)
        score(validation, &metrics, &answers, (size_t)labels[2 * n], numbers[n]);
    conclude(validation, &metrics);
    return DEEPER_OK;
}
