/* probe_stage.c - features of the pictures, each once and in the centre crop, and their probe. */
#include "train/run/probe_stage.h"

#include "base/cpu.h"
#include "eval/layers.h"
#include "session/session.h"
#include "train/core/news.h"
#include "train/core/probe.h"
#include "train/core/sampler.h"
#include "train/options/options.h"

#include <string.h>

static const uint64_t ORDER = (uint64_t)1 << 40; /* an epoch that no run has: which pictures */
static const double TIME_SHARE = 1 / 3.0;        /* of a run by the clock, for training features */

/* A pass over pictures. */
typedef struct pass {
    const dp_trainer *trainer;
    const dp_picture_set *set;
    const size_t *order; /* NULL: as they are */
    size_t limit;        /* pictures */
    double until;        /* dp_now() at which it ends early; 0: not */
    dp_session *session;
    size_t floats;
} pass;

/* The linear layer whose scores are the classes', or -1. */
static int last_layer(const dp_model *model) {
    const dp_graph *graph = model->graph;
    int node = model->prob;
    while (graph->nodes[node].op != DP_OP_FC && graph->nodes[node].input_count == 1)
        node = graph->nodes[node].inputs[0];
    return graph->nodes[node].op == DP_OP_FC
                   && graph->nodes[graph->nodes[node].inputs[1]].shape.n == model->classes
               ? node
               : -1;
}

static int parameter_of(const dp_model *model, int layer, int place) {
    const dp_node *node = &model->graph->nodes[layer];
    return place < node->input_count ? model->graph->nodes[node->inputs[place]].parameter : -1;
}

bool dp_probe_wanted(const dp_trainer *t) {
    int layer = last_layer(t->network.model);
    if (t->progress.probe_images > 0)
        return false;
    return t->options.probe
           || (t->options.probe_images > 0 && t->network.new_head && layer >= 0
               && !t->network.frozen[parameter_of(t->network.model, layer, 1)]);
}

/* --------------------------------------------------------------------------------------- features
 */

static void free_set(dp_features_set *set, const deeper_allocator *allocator) {
    dp_free(allocator, set->values);
    dp_free(allocator, set->labels);
    dp_free(allocator, set->numbers);
}

static bool time_is_up(const pass *p, const dp_features_set *set) {
    return set->count >= p->limit || (p->until > 0 && set->count > 0 && dp_now() > p->until);
}

static deeper_status take_batches(const pass *p, dp_batches *batches, dp_features_set *set,
                                  deeper_error *error) {
    const deeper_train_calls *calls = p->trainer->calls;
    while (!time_is_up(p, set)) {
        dp_batch batch;
        DP_TRY(dp_batches_next(batches, &batch, error));
        if (batch.taken == 0)
            break;
        set->unreadable += (uint64_t)(batch.taken - batch.count);
        size_t room = p->limit - set->count,
               count = (size_t)batch.count < room ? (size_t)batch.count : room;
        float *outputs[] = { set->values + set->count * p->floats };
        if (count > 0)
            dp_session_run(p->session, batch.tensors, (int)count, outputs);
        memcpy(set->labels + 2 * set->count, batch.labels, 2 * count * sizeof *set->labels);
        memcpy(set->numbers + set->count, batch.numbers, count * sizeof *set->numbers);
        set->count += count;
        if (calls && calls->control && calls->control(calls->context) == DEEPER_STOP)
            return dp_fail(error, DEEPER_ERROR_STOPPED, "%s: stopped in its linear probe",
                           p->trainer->options.out);
    }
    return set->count > 0 ? DEEPER_OK
                          : dp_fail(error, DEEPER_ERROR_FORMAT, "%s: no picture could be read",
                                    p->set->dataset->path);
}

/* Fine-tuning meets unreadable pictures again, and names them then. */
static deeper_status collect(const pass *p, dp_features_set *set, deeper_error *error) {
    const dp_trainer *t = p->trainer;
    const dp_batches_options options = { .set = p->set,
                                         .order = p->order,
                                         .batch = t->options.batch,
                                         .readers = t->readers,
                                         .preprocess = &t->network.model->preprocess,
                                         .weights = t->class_weights,
                                         .calls = t->options.probe ? t->calls : NULL };
    size_t all = 0;
    set->values = dp_size_mul(p->limit, p->floats, &all)
                      ? dp_alloc_raw(t->allocator, all, sizeof *set->values)
                      : NULL;
    set->labels = dp_alloc_raw(t->allocator, p->limit, 2 * sizeof *set->labels);
    set->numbers = dp_alloc_raw(t->allocator, p->limit, sizeof *set->numbers);
    if (!set->values || !set->labels || !set->numbers)
        return dp_fail_memory(error,
                              "the features of the pictures; a smaller probe_images needs less");
    dp_batches *batches = NULL;
    DP_TRY(dp_batches_open(&batches, &options, t->allocator, error));
    deeper_status status = take_batches(p, batches, set, error);
    dp_batches_close(batches);
    return status;
}

static deeper_status collect_both(dp_trainer *t, dp_session *session, dp_features_set *train,
                                  dp_features_set *val, deeper_error *error) {
    dp_shape shape = dp_session_output(session, 0);
    size_t limit = (size_t)t->options.probe_images;
    double begin = dp_now();
    pass p = { .trainer = t,
               .set = &t->pictures.val,
               .limit = t->pictures.val.dataset->image_count,
               .session = session,
               .floats = (size_t)shape.c * (size_t)shape.h * (size_t)shape.w };
    DP_TRY(collect(&p, val, error));
    t->clock.validation_seconds = dp_now() - begin;
    dp_sampler_shuffle(t->order, t->images, dp_train_sampling_seed(&t->options), ORDER);
    p.set = &t->pictures.train;
    p.order = t->order;
    p.limit = limit > 0 && limit < t->images ? limit : t->images;
    p.until = t->options.minutes > 0 ? dp_now() + TIME_SHARE * 60 * t->options.minutes : 0;
    return collect(&p, train, error);
}

/* ------------------------------------------------------------------------------------------ probe
 */

static float *values_of(const dp_model *model, int parameter) {
    return model->arena + (model->values[parameter] - model->arena);
}

/* Puts the probe into the last layer. */
static void place(const dp_model *model, const dp_probe *probe, int layer) {
    int weights = parameter_of(model, layer, 1), biases = parameter_of(model, layer, 2);
    memcpy(values_of(model, weights), probe->weights,
           probe->classes * probe->floats * sizeof(float));
    if (biases >= 0)
        memcpy(values_of(model, biases), probe->biases, probe->classes * sizeof(float));
}

static deeper_status note(dp_trainer *t, const dp_probe *probe, const dp_features_set *train,
                          const dp_features_set *val, deeper_error *error) {
    dp_progress *p = &t->progress;
    DP_TRY(dp_validation_of(&t->validation, probe->answers, probe->classes, val->labels,
                            val->numbers, val->count, t->allocator, error));
    p->probe_images = train->count;
    p->probe_top1 = p->best_top1 = t->validation.top1;
    p->best_top5 = t->validation.top5;
    p->best_loss = t->validation.losses[0];
    if (t->options.probe)
        p->unreadable += train->unreadable + val->unreadable;
    dp_tell(t->calls, DEEPER_TRAIN_NOTE,
            "linear probe of %zu pictures: validation top-1 %.2f %%, loss %.4f, with L2 of %g",
            train->count, 100 * p->best_top1, p->best_loss, probe->strength);
    return DEEPER_OK;
}

static deeper_status fit(dp_trainer *t, dp_session *session, int layer, deeper_error *error) {
    dp_features_set train = { 0 }, val = { 0 };
    dp_probe probe = { 0 };
    deeper_status status = collect_both(t, session, &train, &val, error);
    dp_shape shape = dp_session_output(session, 0);
    if (status == DEEPER_OK)
        status = dp_probe_fit(&probe, (size_t)shape.c * (size_t)shape.h * (size_t)shape.w,
                              (size_t)t->network.model->classes, &train, &val, t->options.threads,
                              t->allocator, error);
    if (status == DEEPER_OK) {
        place(t->network.model, &probe, layer);
        dp_optimiser_begin(t->optimiser);
        status = note(t, &probe, &train, &val, error);
    }
    dp_probe_free(&probe, t->allocator);
    free_set(&train, t->allocator);
    free_set(&val, t->allocator);
    return status;
}

deeper_status dp_probe_stage(dp_trainer *t, deeper_error *error) {
    const dp_model *model = t->network.model;
    int layer = last_layer(model), node = dp_layers_features(model->graph);
    if (layer < 0)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "init: the last layer of %s is not linear; fine-tune it without a probe",
                       model->architecture);
    dp_packs *packs = NULL;
    dp_session *session = NULL;
    const dp_session_options options = { .max_batch = t->options.batch,
                                         .threads = t->options.threads,
                                         .outputs = &node,
                                         .output_count = 1 };
    deeper_status status = dp_packs_create(&packs, t->allocator, error);
    if (status == DEEPER_OK)
        status = dp_session_create(&session, model, packs, &options, error);
    if (status == DEEPER_OK)
        status = fit(t, session, layer, error);
    dp_session_free(session);
    dp_packs_free(packs);
    return status;
}
