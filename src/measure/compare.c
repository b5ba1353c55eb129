/* compare.c - one member after the other, each trained, opened and timed by what train, eval and
 * bench are made of; what was found is written after every member, so that a comparison that is
 * stopped leaves what it had. */
#include "measure/compare.h"

#include "base/cpu.h"
#include "base/energy.h"
#include "base/files.h"
#include "base/statistics.h"
#include "eval/evaluate.h"
#include "formats/formats.h"
#include "graph/attributes.h"
#include "measure/bench.h"
#include "report/compare.h"
#include "session/open.h"
#include "train/core/init.h"
#include "train/run/ensemble.h"
#include "train/run/folder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DEFAULT_CLASSES = 1000 };

static const char RUNS[] = "runs";

/* A member's result with the texts that it points to. */
typedef struct entry {
    deeper_compared compared;
    char architecture[64], options[DP_MEMBER_TEXT];
    deeper_error error;
} entry;

typedef struct comparison {
    const deeper_compare_options *options;
    const deeper_compare_calls *calls;
    dp_member members[DP_MEMBERS];
    entry entries[DP_MEMBERS];
    size_t count;
    dp_energy energy;
    bool has_energy;
} comparison;

static void note(const comparison *c, const char *message) {
    if (c->calls->note)
        c->calls->note(c->calls->context, message);
}

/* --------------------------------------------------------------------------------------- before */

static int classes_of(const comparison *c) {
    return c->options->classes ? c->options->classes : DEFAULT_CLASSES;
}

/* Whether two networks are the same, node for node, heads included. */
static bool same_graph(const dp_graph *a, const dp_graph *b) {
    bool same = a->count == b->count;
    for (int i = 0; same && i < a->count; i++) {
        const dp_node *p = &a->nodes[i], *q = &b->nodes[i];
        same = p->op == q->op && p->head == q->head && dp_shape_equal(p->shape, q->shape)
               && p->input_count == q->input_count
               && dp_attributes_equal(p->op, &p->attributes, &q->attributes);
        for (int k = 0; same && k < p->input_count; k++)
            same = p->inputs[k] == q->inputs[k];
    }
    return same;
}

/* A comparison of a network with itself answers nothing. A preset may end so: a base without
 * modules that bear auxiliary heads is the same with aux=1 and aux=0. */
static deeper_status check_different(const comparison *c, dp_model *const *models,
                                     deeper_error *error) {
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < i; k++)
            if (c->members[i].crops == c->members[k].crops
                && same_graph(models[i]->graph, models[k]->graph))
                return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                               "members: %s and %s are the same network; there is nothing to "
                               "compare",
                               c->members[k].text, c->members[i].text);
    return DEEPER_OK;
}

/* What would fail every member, and a member that cannot be built, are errors of the call: a typing
 * error must not wait for hours of training. */
static deeper_status check(const comparison *c, deeper_error *error) {
    int threads;
    DP_TRY(dp_check_seconds(c->options->seconds, error));
    DP_TRY(dp_check_batch(c->options->batch, error));
    DP_TRY(dp_threads_select(&threads, c->options->threads, error));
    dp_model *models[DP_MEMBERS] = { NULL };
    deeper_status status = DEEPER_OK;
    for (size_t i = 0; status == DEEPER_OK && i < c->count; i++)
        status = dp_model_create(&models[i], c->members[i].spec, classes_of(c),
                                 c->members[i].image_size, NULL, error);
    if (status == DEEPER_OK)
        status = check_different(c, models, error);
    for (size_t i = 0; i < c->count; i++)
        dp_model_free(models[i]);
    return status;
}

static deeper_status prepare_folder(const comparison *c, deeper_error *error) {
    const char *out = c->options->out;
    DP_TRY(c->options->resume ? dp_folder_make(out, error)
                              : dp_folder_make_new(out, "comparison", NULL, error));
    char *runs = dp_path_join(NULL, out, RUNS);
    if (!runs)
        return dp_fail_memory(error, "a path");
    deeper_status status = c->options->train ? dp_folder_make(runs, error) : DEEPER_OK;
    dp_free(NULL, runs);
    return status;
}

static deeper_status prepare(comparison *c, deeper_error *error) {
    DP_TRY(dp_compare_members(c->members, &c->count, c->options, error));
    DP_TRY(check(c, error));
    if (c->options->train && !c->options->out)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "out is missing: trained networks need a folder");
    if (!c->options->train && c->options->resume)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "resume: only trained networks are kept");
    for (size_t i = 0; i < c->count && !c->options->train; i++)
        if (c->members[i].crops != 1)
            return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                           "members: %s: crops are of trained networks; give pictures",
                           c->members[i].text);
    if (c->options->out)
        DP_TRY(prepare_folder(c, error));
    c->has_energy = c->options->seconds > 0 && dp_energy_open(&c->energy, DP_ENERGY_FOLDER);
    if (c->options->seconds > 0 && !c->has_energy)
        note(c, "energy is not measured: this machine has no powercap counters that may be read");
    return DEEPER_OK;
}

/* ------------------------------------------------------------------------------------- training */

/* The folder of a member's run, out/runs/NAME; members that differ in crops alone share one.
 * Without commas, which part the models of `deeper eval --model`. NULL: out of memory. */
static char *run_folder(const comparison *c, const dp_member *member) {
    char name[DP_MEMBER_TEXT + 16];
    snprintf(name, sizeof name, "%s@%d", member->spec, member->image_size);
    for (char *at = name; *at; at++)
        if (*at == ':' || *at == ',')
            *at = '_';
    char *runs = dp_path_join(NULL, c->options->out, RUNS),
         *folder = runs ? dp_path_join(NULL, runs, name) : NULL;
    dp_free(NULL, runs);
    return folder;
}

static deeper_status train_member(const comparison *c, const dp_member *member, const char *folder,
                                  deeper_compared *to, deeper_error *error) {
    deeper_train_options train = *c->options->train;
    train.architecture = member->spec;
    train.init = NULL;
    train.image_size = member->image_size;
    train.threads = c->options->threads;
    train.out = folder;
    train.resume = dp_folder_has_run(folder, NULL);
    const deeper_train_calls calls = { c->calls->event, c->calls->control, c->calls->context };
    deeper_train_result result = { 0 };
    DP_TRY(dp_train_runs(&train, &calls, &result, NULL, error));
    to->epochs = result.epochs;
    to->images_seen = result.images;
    to->train_seconds = result.seconds;
    to->images = result.validation_images;
    to->top1 = (uint64_t)llround(result.best_top1 * (double)result.validation_images);
    to->top5 = (uint64_t)llround(result.best_top5 * (double)result.validation_images);
    return DEEPER_OK;
}

/* The pictures that a run validates on, where they are a set of their own; *set may stay NULL. */
static deeper_status open_validation(dp_dataset **set, const deeper_train_options *train,
                                     deeper_error *error) {
    dp_dataset *rest = NULL;
    if (train->val)
        return dp_dataset_open(set, train->val, NULL, NULL, error);
    DP_TRY(dp_dataset_open_pair(&rest, set, train->data, train->data_root, NULL, error));
    dp_dataset_free(rest);
    return DEEPER_OK;
}

/* The same pictures once more, with more crops. */
static deeper_status evaluate_crops(const comparison *c, dp_session *session, int crops,
                                    deeper_compared *to, deeper_error *error) {
    const int set_of_crops = dp_crop_set_find(crops);
    dp_dataset *set = NULL;
    dp_classifier *classifier = NULL;
    dp_scores *scores = NULL;
    DP_TRY(open_validation(&set, c->options->train, error));
    if (!set)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%d crops need validation pictures that are a set of their own (val)",
                       crops);
    deeper_status status = dp_classifier_create(&classifier, session, session->model->prob,
                                                set_of_crops, set_of_crops, error);
    const dp_evaluation evaluation = { .classifiers = &classifier,
                                       .count = 1,
                                       .dataset = set,
                                       .readers = dp_processors(),
                                       .shard = 1,
                                       .shards = 1 };
    if (status == DEEPER_OK)
        status = dp_evaluate(&scores, &evaluation, error);
    if (status == DEEPER_OK) {
        const dp_metrics *metrics = &scores->rows[scores->row_count - 1].metrics;
        to->images = metrics->images;
        to->top1 = metrics->top1;
        to->top5 = metrics->top5;
    }
    dp_scores_free(scores);
    dp_classifier_free(classifier);
    dp_dataset_free(set);
    return status;
}

/* --------------------------------------------------------------------------------------- timing */

/* Joules of an image: the counters over some seconds of nothing else. */
static deeper_status measure_energy(comparison *c, dp_session *session, deeper_compared *to,
                                    deeper_error *error) {
    const size_t floats = dp_shape_floats(dp_model_input(session->model));
    float *picture = dp_alloc(NULL, floats, sizeof *picture);
    float *probabilities = dp_alloc(NULL, (size_t)session->model->classes, sizeof *probabilities);
    deeper_status status =
        picture && probabilities ? DEEPER_OK : dp_fail_memory(error, "a picture");
    uint64_t runs = 0;
    dp_energy_taken(&c->energy);
    for (double begin = dp_now();
         status == DEEPER_OK && (runs == 0 || dp_now() - begin < c->options->seconds); runs++)
        dp_session_run(session, picture, 1, &probabilities);
    to->joules = dp_energy_taken(&c->energy) / (double)runs;
    dp_free(NULL, picture);
    dp_free(NULL, probabilities);
    return status;
}

static deeper_status time_member(comparison *c, const dp_model *model, dp_packs *packs,
                                 dp_session *session, deeper_compared *to, deeper_error *error) {
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    deeper_benchmark forward, training;
    options.threads = c->options->threads;
    DP_TRY(dp_bench(model, packs, &options, c->options->seconds, NULL, &forward, error));
    to->forward_ms = forward.median_ms;
    to->forward_images_per_second = forward.images_per_second;
    if (c->has_energy)
        DP_TRY(measure_energy(c, session, to, error));
    options.max_batch = c->options->batch;
    DP_TRY(dp_bench_training(model, &options, c->options->seconds, NULL, &training, error));
    to->training_images_per_second = training.images_per_second;
    return DEEPER_OK;
}

/* --------------------------------------------------------------------------------------- member */

static void describe(entry *e, const dp_model *model) {
    const dp_cost cost = dp_model_cost(model, false);
    snprintf(e->architecture, sizeof e->architecture, "%s", model->architecture);
    snprintf(e->options, sizeof e->options, "%s", model->options);
    e->compared.parameters = cost.parameters;
    e->compared.multiply_adds = cost.multiply_adds;
}

static deeper_status measure(comparison *c, const dp_member *member, const dp_model *model,
                             dp_packs *packs, entry *e, deeper_error *error) {
    dp_session *session = NULL;
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    options.threads = c->options->threads;
    describe(e, model);
    DP_TRY(dp_session_open(&session, model, packs, &options, error));
    e->compared.activation_bytes = dp_plan_arena_bytes(session->plan);
    deeper_status status = DEEPER_OK;
    if (member->crops != 1)
        status = evaluate_crops(c, session, member->crops, &e->compared, error);
    if (status == DEEPER_OK && c->options->seconds > 0)
        status = time_member(c, model, packs, session, &e->compared, error);
    dp_session_free(session);
    return status;
}

/* The network as it was trained, or with made-up values. */
static deeper_status open_model(const comparison *c, const dp_member *member, const char *folder,
                                dp_model **model, deeper_error *error) {
    if (!folder) {
        DP_TRY(
            dp_model_create(model, member->spec, classes_of(c), member->image_size, NULL, error));
        DP_TRY(dp_model_allocate(*model, error));
        dp_initialize(*model, NULL, DP_INIT_XAVIER, 1);
        return DEEPER_OK;
    }
    char *path = dp_path_join(NULL, folder, "model.safetensors");
    deeper_status status =
        path ? dp_model_open(model, path, NULL, error) : dp_fail_memory(error, "a path");
    if (status == DEEPER_OK)
        status = dp_model_check(*model, path, error);
    dp_free(NULL, path);
    return status;
}

static deeper_status work(comparison *c, const dp_member *member, const char *folder, entry *e,
                          deeper_error *error) {
    dp_model *model = NULL;
    dp_packs *packs = NULL;
    if (folder)
        DP_TRY(train_member(c, member, folder, &e->compared, error));
    deeper_status status = open_model(c, member, folder, &model, error);
    if (status == DEEPER_OK)
        status = dp_packs_create(&packs, NULL, error);
    if (status == DEEPER_OK)
        status = measure(c, member, model, packs, e, error);
    dp_packs_free(packs);
    dp_model_free(model);
    if (status == DEEPER_OK && e->compared.images > 0)
        dp_wilson(e->compared.top1, e->compared.images, &e->compared.top1_low,
                  &e->compared.top1_high);
    return status;
}

/* One member; fails only where the whole comparison must end. */
static deeper_status compare_member(comparison *c, size_t index, deeper_error *error) {
    const dp_member *member = &c->members[index];
    entry *e = &c->entries[index];
    char *folder = c->options->train ? run_folder(c, member) : NULL;
    if (c->options->train && !folder)
        return dp_fail_memory(error, "a path");
    e->compared = (deeper_compared){ .member = member->text,
                                     .architecture = e->architecture,
                                     .options = e->options,
                                     .image_size = member->image_size,
                                     .crops = member->crops,
                                     .message = e->error.message,
                                     .forward_ms = NAN,
                                     .forward_images_per_second = NAN,
                                     .training_images_per_second = NAN,
                                     .joules = NAN,
                                     .train_seconds = NAN,
                                     .top1_low = NAN,
                                     .top1_high = NAN };
    e->compared.status = work(c, member, folder, e, &e->error);
    dp_free(NULL, folder);
    return e->compared.status == DEEPER_ERROR_STOPPED
               ? dp_fail(error, DEEPER_ERROR_STOPPED, "%s", e->error.message)
               : DEEPER_OK;
}

static deeper_status write_files(const comparison *c, size_t done, deeper_error *error) {
    if (!c->options->out)
        return DEEPER_OK;
    const deeper_compared **rows = dp_alloc(NULL, done, sizeof(deeper_compared *));
    char *csv = dp_path_join(NULL, c->options->out, "compare.csv"),
         *page = dp_path_join(NULL, c->options->out, "compare.html");
    deeper_status status =
        rows && csv && page ? DEEPER_OK : dp_fail_memory(error, "the table of the comparison");
    for (size_t i = 0; status == DEEPER_OK && i < done; i++)
        rows[i] = &c->entries[i].compared;
    const dp_comparison_page table = {
        .rows = rows, .count = done, .total = c->count, .options = c->options
    };
    if (status == DEEPER_OK)
        status = dp_report_write_comparison_csv(&table, csv, NULL, error);
    if (status == DEEPER_OK)
        status = dp_report_write_comparison(&table, page, NULL, error);
    dp_free(NULL, rows);
    dp_free(NULL, csv);
    dp_free(NULL, page);
    return status;
}

static deeper_status run(comparison *c, size_t *failed, deeper_error *error) {
    DP_TRY(prepare(c, error));
    for (size_t i = 0; i < c->count; i++) {
        if (c->calls->begin)
            c->calls->begin(c->calls->context, c->members[i].text, i, c->count);
        DP_TRY(compare_member(c, i, error));
        *failed += c->entries[i].compared.status != DEEPER_OK;
        if (c->calls->done)
            c->calls->done(c->calls->context, &c->entries[i].compared, i, c->count);
        DP_TRY(write_files(c, i + 1, error));
    }
    return DEEPER_OK;
}

deeper_status dp_compare(const deeper_compare_options *options, const deeper_compare_calls *calls,
                         size_t *failed, deeper_error *error) {
    comparison *c = dp_alloc(NULL, 1, sizeof *c);
    if (!c)
        return dp_fail_memory(error, "the comparison");
    c->options = options;
    c->calls = calls;
    *failed = 0;
    deeper_status status = run(c, failed, error);
    dp_energy_close(&c->energy);
    dp_free(NULL, c);
    return status;
}
