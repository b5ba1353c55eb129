/* scores.c - rows made, filled and compared. */
#include "eval/scores.h"

#include "base/top.h"
#include "image/crops.h"

#include <string.h>

enum { MATRIX_UP_TO = 4096 }; /* classes of which a confusion matrix is kept: 134 MB */

void dp_scores_free(dp_scores *s) {
    if (!s)
        return;
    for (int row = 0; s->rows && row < s->row_count; row++)
        dp_free(s->allocator, s->rows[row].hits);
    for (int m = 0; s->order && m < s->about.models; m++)
        dp_free(s->allocator, s->order[m]);
    dp_free(s->allocator, s->order);
    dp_free(s->allocator, s->rows);
    dp_free(s->allocator, s->confusion);
    dp_free(s->allocator, s->answers);
    dp_free(s->allocator, s->one);
    dp_free(s->allocator, s->about.labels.items);
    dp_free(s->allocator, s->texts);
    dp_free(s->allocator, s);
}

/* --------------------------------------------------------------------------------------- create */

/* Copies a text to *end and moves *end behind it. Without a place only counts. */
static const char *keep_text(char *texts, size_t *used, const char *text) {
    size_t size = strlen(text) + 1, at = *used;
    *used += size;
    return texts ? memcpy(texts + at, text, size) : NULL;
}

static void keep_texts(dp_scores *s, const dp_probs_about *about, size_t *used) {
    dp_probs_about *kept = &s->about;
    for (int m = 0; m < about->models; m++)
        kept->names[m] = keep_text(s->texts, used, about->names[m]);
    kept->data = keep_text(s->texts, used, about->data);
    for (size_t i = 0; i < about->labels.count; i++) {
        kept->labels.items[i].id = keep_text(s->texts, used, about->labels.items[i].id);
        kept->labels.items[i].name = keep_text(s->texts, used, about->labels.items[i].name);
    }
}

static bool keep_about(dp_scores *s, const dp_probs_about *about) {
    size_t used = 0, labels = about->labels.count;
    s->about = *about;
    s->about.labels =
        (dp_labels){ .count = labels,
                     .items = dp_alloc(s->allocator, labels, sizeof *about->labels.items) };
    if (!s->about.labels.items)
        return false;
    keep_texts(s, about, &used);
    s->texts = dp_alloc(s->allocator, used, 1);
    if (!s->texts)
        return false;
    used = 0;
    keep_texts(s, about, &used);
    return true;
}

/* The output of `labels` for each class of the first model's; *order stays NULL if it is the same
 * one. */
static deeper_status match_order(const dp_scores *s, int model, const dp_labels *labels,
                                 size_t **order, deeper_error *error) {
    const dp_labels *first_labels = &s->about.labels;
    size_t count = first_labels->count, same = 0;
    if (labels->count != count)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "%s has %zu classes with labels and %s %zu; an ensemble's must be the same",
                       s->about.names[0], count, s->about.names[model], labels->count);
    while (same < count && strcmp(labels->items[same].id, first_labels->items[same].id) == 0)
        same++;
    if (same == count)
        return DEEPER_OK;
    *order = dp_alloc_raw(s->allocator, count, sizeof **order);
    if (!*order)
        return dp_fail_memory(error, "the order of the classes");
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < count && strcmp(labels->items[at].id, first_labels->items[i].id) != 0)
            at++;
        if (at == count)
            return dp_fail(
                error, DEEPER_ERROR_MISMATCH,
                "%s has no class \"%.64s\", which %s has; an ensemble's must be the same",
                s->about.names[model], first_labels->items[i].id, s->about.names[0]);
        (*order)[i] = at;
    }
    return DEEPER_OK;
}

static bool reserve(dp_scores *s) {
    int models = s->about.models, sets = s->last - s->first + 1;
    size_t classes = s->about.classes;
    s->row_count = sets * (models + (models > 1));
    s->rows = dp_alloc(s->allocator, (size_t)s->row_count, sizeof *s->rows);
    s->order = dp_alloc(s->allocator, (size_t)models, sizeof *s->order);
    s->answers = dp_alloc_raw(s->allocator, classes * (size_t)models, sizeof *s->answers);
    s->one = dp_alloc_raw(s->allocator, classes, sizeof *s->one);
    bool small = classes <= MATRIX_UP_TO;
    s->confusion = small ? dp_alloc(s->allocator, classes * classes, sizeof *s->confusion) : NULL;
    if (!s->rows || !s->order || !s->answers || !s->one || (small && !s->confusion))
        return false;
    for (int row = 0; row < s->row_count; row++) {
        s->rows[row].model = row / sets < models ? row / sets : -1;
        s->rows[row].set = s->first + row % sets;
        s->rows[row].hits = dp_alloc(s->allocator, (size_t)(s->end - s->begin), 1);
        if (!s->rows[row].hits)
            return false;
    }
    return true;
}

static deeper_status fill(dp_scores *s, const dp_probs_about *about, const dp_labels *const *labels,
                          deeper_error *error) {
    if (!keep_about(s, about) || !reserve(s))
        return dp_fail_memory(error, "the table of an evaluation");
    for (int m = 1; m < about->models; m++)
        DP_TRY(match_order(s, m, labels[m], &s->order[m], error));
    return DEEPER_OK;
}

deeper_status dp_scores_create(dp_scores **scores, const dp_probs_about *about,
                               const dp_labels *const *labels, int first, int last,
                               deeper_combine combine, const deeper_allocator *allocator,
                               deeper_error *error) {
    dp_scores *s = dp_alloc(allocator, 1, sizeof *s);
    if (!s)
        return dp_fail_memory(error, "the table of an evaluation");
    *s = (dp_scores){ .allocator = allocator, .combine = combine, .first = first, .last = last };
    dp_probs_range(about, &s->begin, &s->end);
    deeper_status status = fill(s, about, labels, error);
    if (status != DEEPER_OK) {
        dp_scores_free(s);
        return status;
    }
    *scores = s;
    return DEEPER_OK;
}

/* ------------------------------------------------------------------------------------------ add */

static void score_row(dp_scores *s, int number, uint64_t picture, size_t label,
                      const float *answer) {
    dp_score_row *row = &s->rows[number];
    size_t classes = s->about.classes, best = 0, rank = dp_rank(answer, classes, label);
    dp_metrics_add(&row->metrics, answer, classes, label);
    dp_top_k(answer, classes, 1, &best);
    dp_calibration_add(&row->calibration, (double)answer[best], rank == 0);
    row->hits[picture - s->begin] = (uint8_t)((rank < 1) | (rank < 5) << 1);
    if (number + 1 < s->row_count)
        return;
    if (s->confusion)
        s->confusion[label * classes + best]++;
    if (rank > 0)
        dp_mistakes_note(&s->mistakes,
                         &(dp_mistake){ (size_t)picture, label, best, (double)answer[best] });
}

/* The answer of one model with one set of crops, in the first model's order of classes. */
static void answer_of(dp_scores *s, int model, int set, const float *softmax, float *answer) {
    size_t classes = s->about.classes,
           before = set > s->first ? dp_crops_count(s->first, set - 1) : 0;
    const size_t *order = s->order[model];
    dp_combine(s->combine, softmax + before * classes, dp_crops_count(set, set), classes,
               order ? s->one : answer);
    for (size_t c = 0; order && c < classes; c++)
        answer[c] = s->one[order[c]];
}

void dp_scores_add(dp_scores *s, uint64_t picture, size_t label, const float *const *softmaxes) {
    int models = s->about.models, sets = s->last - s->first + 1;
    if (!softmaxes) {
        s->unreadable++;
        return;
    }
    s->images++;
    for (int set = s->first; set <= s->last; set++) {
        for (int m = 0; m < models; m++) {
            float *answer = s->answers + (size_t)m * s->about.classes;
            answer_of(s, m, set, softmaxes[m], answer);
            score_row(s, m * sets + set - s->first, picture, label, answer);
        }
        if (models == 1)
            continue;
        dp_combine(DEEPER_COMBINE_MEAN, s->answers, (size_t)models, s->about.classes, s->one);
        score_row(s, models * sets + set - s->first, picture, label, s->one);
    }
}

/* -------------------------------------------------------------------------------------- compare */

int dp_scores_base(const dp_scores *s) {
    int sets = s->last - s->first + 1, base = 0;
    for (int m = 1; m < s->about.models; m++)
        if (s->rows[m * sets].metrics.top1 > s->rows[base].metrics.top1)
            base = m * sets;
    return base;
}

/* McNemar's p of a row against the base; bit: 1 top-1, 2 top-5. */
static double test(const dp_scores *s, int row, int bit) {
    const uint8_t *hits = s->rows[row].hits, *base = s->rows[dp_scores_base(s)].hits;
    uint64_t only_mine = 0, only_base = 0;
    for (uint64_t i = 0; i < s->end - s->begin; i++) {
        only_mine += (hits[i] & bit) != 0 && (base[i] & bit) == 0;
        only_base += (hits[i] & bit) == 0 && (base[i] & bit) != 0;
    }
    return dp_mcnemar(only_mine, only_base);
}

void dp_scores_describe(const dp_scores *s, int row, deeper_score *score) {
    const dp_score_row *r = &s->rows[row], *base = &s->rows[dp_scores_base(s)];
    const dp_metrics *m = &r->metrics;
    double images = (double)m->images;
    *score = (deeper_score){ .model = r->model < 0 ? NULL : s->about.names[r->model],
                             .models = r->model < 0 ? s->about.models : 1,
                             .crops = dp_crop_set_size(r->set, NULL),
                             .base = r == base,
                             .images = m->images,
                             .top1 = m->top1,
                             .top5 = m->top5,
                             .loss = m->loss / images,
                             .calibration_error = dp_calibration_error(&r->calibration),
                             .top1_gain = ((double)m->top1 - (double)base->metrics.top1) / images,
                             .top5_gain = ((double)m->top5 - (double)base->metrics.top5) / images,
                             .top1_p = test(s, row, 1),
                             .top5_p = test(s, row, 2) };
    dp_wilson(m->top1, m->images, &score->top1_interval[0], &score->top1_interval[1]);
    dp_wilson(m->top5, m->images, &score->top5_interval[0], &score->top5_interval[1]);
}

/* ----------------------------------------------------------------------------------------- open */

/* Files that are read side by side. */
typedef struct reading {
    dp_probs *files[DP_PROBS_MODELS];
    size_t count;
    dp_probs_about all; /* of the models of all files */
    const dp_labels *labels[DP_PROBS_MODELS];
} reading;

static deeper_status open_file(reading *r, const char *path, const deeper_allocator *allocator,
                               deeper_error *error) {
    DP_TRY(dp_probs_open(&r->files[r->count], path, allocator, error));
    const dp_probs_about *about = dp_probs_tell(r->files[r->count++]);
    dp_probs_about *all = &r->all;
    if (r->count == 1) {
        *all = *about;
        all->models = 0;
    }
    if (all->models + about->models > DP_PROBS_MODELS)
        return dp_fail(error, DEEPER_ERROR_LIMIT, "%s: more than %d models together", path,
                       DP_PROBS_MODELS);
    if (about->fingerprint != all->fingerprint || about->pictures != all->pictures)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "%s: holds answers for other pictures than the first file", path);
    if (about->shard != all->shard || about->shards != all->shards)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "%s: is shard %d of %d, the first file %d of %d; merge shards first", path,
                       about->shard, about->shards, all->shard, all->shards);
    if (about->classes != all->classes)
        return dp_fail(error, DEEPER_ERROR_MISMATCH,
                       "%s: has %zu classes, the first file %zu; an ensemble's must be the same",
                       path, about->classes, all->classes);
    all->crops = about->crops < all->crops ? about->crops : all->crops;
    for (int m = 0; m < about->models; m++, all->models++) {
        all->names[all->models] = about->names[m];
        all->weights[all->models] = about->weights[m];
        r->labels[all->models] = &about->labels;
    }
    return DEEPER_OK;
}

/* Record `index` of every file as one picture. */
static deeper_status add_record(reading *r, dp_scores *s, uint64_t index, deeper_error *error) {
    const float *softmaxes[DP_PROBS_MODELS];
    dp_probs_record first = { 0 }, record = { 0 };
    bool unreadable = false;
    int model = 0;
    for (size_t f = 0; f < r->count; f++) {
        const dp_probs_about *about = dp_probs_tell(r->files[f]);
        size_t floats = dp_crops_count(0, dp_crop_set_find(about->crops)) * about->classes;
        DP_TRY(dp_probs_read(r->files[f], index, &record, error));
        if (f == 0)
            first = record;
        unreadable = unreadable || record.unreadable;
        for (int m = 0; m < about->models; m++)
            softmaxes[model++] = record.softmaxes + (size_t)m * floats;
    }
    dp_scores_add(s, first.picture, (size_t)first.label, unreadable ? NULL : softmaxes);
    return DEEPER_OK;
}

static deeper_status score_files(dp_scores **scores, reading *r, int crops, deeper_combine combine,
                                 const deeper_allocator *allocator, deeper_error *error) {
    int last = dp_crop_set_find(crops ? crops : r->all.crops);
    dp_scores *s = NULL;
    if (last > dp_crop_set_find(r->all.crops))
        return dp_fail(
            error, DEEPER_ERROR_MISMATCH,
            "crops: the saved answers are of %d crop%s, not of %d; save the answers again with "
            "those",
            r->all.crops, r->all.crops == 1 ? "" : "s", crops);
    DP_TRY(dp_scores_create(&s, &r->all, r->labels, 0, last, combine, allocator, error));
    deeper_status status = DEEPER_OK;
    for (uint64_t i = 0; i < s->end - s->begin && status == DEEPER_OK; i++)
        status = add_record(r, s, i, error);
    if (status == DEEPER_OK && s->images == 0)
        status = dp_fail(error, DEEPER_ERROR_FORMAT,
                         "the saved answers hold no picture that could be read");
    if (status == DEEPER_OK)
        *scores = s;
    else
        dp_scores_free(s);
    return status;
}

deeper_status dp_scores_open(dp_scores **scores, const char *const *files, size_t count, int crops,
                             deeper_combine combine, const deeper_allocator *allocator,
                             deeper_error *error) {
    reading r = { .count = 0 };
    if (count < 1 || count > DP_PROBS_MODELS)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%zu files of saved answers; 1 to %d can be scored together", count,
                       DP_PROBS_MODELS);
    deeper_status status = DEEPER_OK;
    for (size_t f = 0; f < count && status == DEEPER_OK; f++)
        status = open_file(&r, files[f], allocator, error);
    if (status == DEEPER_OK)
        status = score_files(scores, &r, crops, combine, allocator, error);
    for (size_t f = 0; f < r.count; f++)
        dp_probs_close(r.files[f]);
    return status;
}
