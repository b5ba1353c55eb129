/* pictures.c - from paths to two sets whose classes are outputs. */
#include "train/core/pictures.h"

#include "eval/match.h"
#include "model/labels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void dp_pictures_close(dp_pictures *p) {
    dp_free(p->allocator, p->val.named);
    dp_free(p->allocator, p->train.named);
    dp_free(p->allocator, p->val.outputs);
    dp_free(p->allocator, p->train.outputs);
    dp_labels_free(&p->labels, p->allocator);
    dp_dataset_free(p->val.dataset);
    dp_dataset_free(p->train.dataset);
    *p = (dp_pictures){ 0 };
}

/* The name that ILSVRC-2012 has for an id, else `name`. */
static const char *name_of(const dp_labels *known, const char *id, const char *name) {
    for (size_t i = 0; i < known->count; i++)
        if (strcmp(known->items[i].id, id) == 0)
            return known->items[i].name;
    return name;
}

static deeper_status make_labels(dp_pictures *p, deeper_error *error) {
    const dp_dataset *data = p->train.dataset;
    dp_labels known;
    DP_TRY(dp_labels_ilsvrc2012(&known, p->allocator, error));
    json_t *list = json_array();
    int failed = !list;
    const char *wrong = NULL;
    for (size_t c = 0; c < data->class_count; c++) {
        char number[24];
        const char *name = dp_dataset_class(data, c), *id = data->numbered ? number : name;
        if (data->classes[c].images == 0 && !data->numbered)
            continue;
        snprintf(number, sizeof number, "%zu", c);
        json_t *pair = json_pack("[s, s]", id, name_of(&known, id, name));
        if (!pair && !wrong)
            wrong = name;
        failed |= json_array_append_new(list, pair);
    }
    char *text = failed ? NULL : json_dumps(list, JSON_COMPACT);
    json_decref(list);
    dp_labels_free(&known, p->allocator);
    deeper_status status = DEEPER_OK;
    if (wrong)
        status = dp_fail(error, DEEPER_ERROR_FORMAT,
                         "%s: the class \"%.100s\" is not UTF-8; rename it", data->path, wrong);
    else if (!text)
        status = dp_fail_memory(error, "the labels of a model");
    else
        status = dp_labels_from_json(&p->labels, text, data->path, p->allocator, error);
    free(text);
    return status;
}

/* train.outputs and labels of the classes. */
static deeper_status number_classes(dp_pictures *p, deeper_error *error) {
    const dp_dataset *data = p->train.dataset;
    p->train.outputs = dp_alloc(p->allocator, data->class_count, sizeof *p->train.outputs);
    p->val.outputs = dp_alloc(p->allocator, p->val.dataset->class_count, sizeof *p->val.outputs);
    p->train.named = dp_alloc(p->allocator, data->image_count, sizeof *p->train.named);
    p->val.named = dp_alloc(p->allocator, p->val.dataset->image_count, sizeof *p->val.named);
    if (!p->train.outputs || !p->val.outputs || !p->train.named || !p->val.named)
        return dp_fail_memory(error, "the classes of the data set");
    size_t outputs = 0, used = 0;
    for (size_t c = 0; c < data->class_count; c++) {
        used += data->classes[c].images > 0;
        if (data->classes[c].images > 0 || data->numbered)
            p->train.outputs[c] = outputs++;
        else
            p->empty_classes++;
    }
    if (used < 2)
        return dp_fail(error, DEEPER_ERROR_FORMAT,
                       "%s: only one class with pictures; a classifier needs two or more, a folder "
                       "of pictures each",
                       data->path);
    return make_labels(p, error);
}

static deeper_status open_sets(dp_pictures *p, const deeper_train_options *options,
                               deeper_error *error) {
    DP_TRY(dp_dataset_open_pair(&p->train.dataset, &p->val.dataset, options->data,
                                options->data_root, p->allocator, error));
    if (options->val) {
        dp_dataset_free(p->val.dataset);
        p->val.dataset = NULL;
        return dp_dataset_open(&p->val.dataset, options->val, options->data_root, p->allocator,
                               error);
    }
    if (p->val.dataset)
        return DEEPER_OK;
    dp_dataset *whole = p->train.dataset;
    p->train.dataset = NULL;
    deeper_status status = dp_dataset_split(&p->train.dataset, &p->val.dataset, whole,
                                            options->val_fraction, options->seed, error);
    dp_dataset_free(whole);
    return status;
}

deeper_status dp_pictures_open(dp_pictures *pictures, const deeper_train_options *options,
                               const deeper_allocator *allocator, deeper_error *error) {
    *pictures = (dp_pictures){ .allocator = allocator };
    deeper_status status = open_sets(pictures, options, error);
    if (status == DEEPER_OK)
        status = number_classes(pictures, error);
    if (status != DEEPER_OK) {
        dp_pictures_close(pictures);
        return status;
    }
    pictures->train.limits = pictures->val.limits =
        (dp_picture_limits){ options->max_pixels, options->max_memory };
    pictures->fingerprint = dp_dataset_fingerprint(pictures->train.dataset) * 31
                            + dp_dataset_fingerprint(pictures->val.dataset);
    return DEEPER_OK;
}

static uint64_t count_named(const dp_picture_set *set) {
    uint64_t count = 0;
    for (size_t i = 0; set->named && i < set->dataset->image_count; i++)
        count += set->named[i];
    return count;
}

uint64_t dp_pictures_unreadable(const dp_pictures *p) {
    return count_named(&p->train) + count_named(&p->val);
}

deeper_status dp_pictures_match(dp_pictures *p, const dp_model *model, deeper_error *error) {
    return dp_match_classes(p->val.outputs, p->val.dataset, model, error);
}

void dp_pictures_weights(const dp_pictures *p, float *weights) {
    size_t classes = p->labels.count;
    const dp_dataset *data = p->train.dataset;
    double sum = 0;
    for (size_t c = 0; c < classes; c++)
        weights[c] = 0;
    for (size_t c = 0; c < data->class_count; c++)
        if (data->classes[c].images > 0) {
            weights[p->train.outputs[c]] = 1 / (float)data->classes[c].images;
            sum += 1 / (double)data->classes[c].images;
        }
    for (size_t c = 0; c < classes; c++)
        weights[c] *= (float)((double)classes / sum);
}
