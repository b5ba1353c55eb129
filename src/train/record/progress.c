/* progress.c - the history grows an epoch at a time; all of it as JSON. */
#include "train/record/progress.h"

#include "train/record/fields.h"

#include <string.h>

enum { JSON_DEPTH = 4 };

#define COUNT_OF(table) (sizeof(table) / sizeof *(table))

static const dp_field progress_fields[] = {
    DP_FIELD(dp_progress, step, DP_FIELD_COUNT),
    DP_FIELD(dp_progress, epoch, DP_FIELD_INT),
    DP_FIELD(dp_progress, position, DP_FIELD_COUNT),
    DP_FIELD(dp_progress, epochs, DP_FIELD_INT),
    DP_FIELD(dp_progress, rate, DP_FIELD_NUMBER),
    DP_FIELD(dp_progress, factor, DP_FIELD_NUMBER),
    DP_FIELD(dp_progress, divergences, DP_FIELD_INT),
    DP_FIELD(dp_progress, kept_step, DP_FIELD_COUNT),
    DP_FIELD(dp_progress, images, DP_FIELD_COUNT),
    DP_FIELD(dp_progress, unreadable, DP_FIELD_COUNT),
    DP_FIELD(dp_progress, epoch_unreadable, DP_FIELD_COUNT),
    DP_FIELD(dp_progress, seconds, DP_FIELD_NUMBER),
    DP_FIELD(dp_progress, started, DP_FIELD_NUMBER),
    DP_FIELD(dp_progress, best_epoch, DP_FIELD_INT),
    DP_FIELD(dp_progress, best_top1, DP_FIELD_NUMBER),
    DP_FIELD(dp_progress, best_top5, DP_FIELD_NUMBER),
    DP_FIELD(dp_progress, best_loss, DP_FIELD_NUMBER),
    DP_FIELD(dp_progress, sums.images, DP_FIELD_COUNT),
    DP_FIELD(dp_progress, sums.top1, DP_FIELD_COUNT),
    DP_FIELD(dp_progress, sums.steps, DP_FIELD_COUNT),
    DP_FIELD(dp_progress, sums.weight, DP_FIELD_NUMBER),
    DP_FIELD(dp_progress, sums.norm, DP_FIELD_NUMBER),
    DP_FIELDS(dp_progress, sums.losses, DP_FIELD_NUMBER, DP_HEADS),
};

static const dp_field epoch_fields[] = {
    DP_FIELD(dp_report_epoch, epoch, DP_FIELD_INT),
    DP_FIELD(dp_report_epoch, seconds, DP_FIELD_NUMBER),
    DP_FIELD(dp_report_epoch, rate, DP_FIELD_NUMBER),
    DP_FIELD(dp_report_epoch, images_per_second, DP_FIELD_NUMBER),
    DP_FIELD(dp_report_epoch, gradient_norm, DP_FIELD_NUMBER),
    DP_FIELDS(dp_report_epoch, train_losses, DP_FIELD_NUMBER, DP_REPORT_HEADS),
    DP_FIELD(dp_report_epoch, train_loss, DP_FIELD_NUMBER),
    DP_FIELD(dp_report_epoch, train_top1, DP_FIELD_NUMBER),
    DP_FIELDS(dp_report_epoch, val_losses, DP_FIELD_NUMBER, DP_REPORT_HEADS),
    DP_FIELD(dp_report_epoch, val_top1, DP_FIELD_NUMBER),
    DP_FIELD(dp_report_epoch, val_top5, DP_FIELD_NUMBER),
    DP_FIELD(dp_report_epoch, best, DP_FIELD_FLAG),
};

bool dp_progress_add(dp_progress *progress, const dp_report_epoch *epoch,
                     const deeper_allocator *allocator) {
    void *items = progress->history;
    if (!dp_reserve(allocator, &items, &progress->history_capacity, progress->history_count + 1,
                    sizeof *epoch))
        return false;
    progress->history = items;
    progress->history[progress->history_count++] = *epoch;
    return true;
}

bool dp_progress_warn(dp_progress *progress, int epoch, const char *text,
                      const deeper_allocator *allocator) {
    void *items = progress->warnings;
    if (progress->warning_count == DP_MAX_WARNINGS)
        return true;
    char *copy = dp_strdup(allocator, text);
    if (!copy
        || !dp_reserve(allocator, &items, &progress->warning_capacity, progress->warning_count + 1,
                       sizeof *progress->warnings)) {
        dp_free(allocator, copy);
        return false;
    }
    progress->warnings = items;
    progress->warnings[progress->warning_count++] = (dp_report_warning){ epoch, copy };
    return true;
}

void dp_progress_free(dp_progress *progress, const deeper_allocator *allocator) {
    dp_free(allocator, progress->history);
    for (size_t i = 0; i < progress->warning_count; i++)
        dp_free(allocator, (void *)(uintptr_t)progress->warnings[i].text);
    dp_free(allocator, progress->warnings);
    *progress = (dp_progress){ 0 };
}

/* In a run's text only where there are any: the first runs did not have them. */
static const dp_field planned = DP_FIELD(dp_progress, planned, DP_FIELD_NUMBER);
static const dp_field probe_fields[] = {
    DP_FIELD(dp_progress, probe_images, DP_FIELD_COUNT),
    DP_FIELD(dp_progress, probe_top1, DP_FIELD_NUMBER),
};
static const dp_field stage_fields[] = {
    DP_FIELD(dp_stage, from, DP_FIELD_COUNT),
    DP_FIELD(dp_stage, steps, DP_FIELD_COUNT),
};
static const dp_field warning_fields[] = {
    DP_FIELD(dp_report_warning, epoch, DP_FIELD_INT),
    DP_FIELD(dp_report_warning, text, DP_FIELD_TEXT),
};

static bool write_length(dp_object *object, const char *name, const dp_length *length) {
    bool sound = dp_object_put_list(object, name);
    for (int i = 0; i < length->count && sound; i++)
        sound = dp_object_add(dp_object_append(object, name), stage_fields, COUNT_OF(stage_fields),
                              &length->stages[i]);
    return sound;
}

char *dp_progress_to_json(const dp_progress *progress) {
    dp_object *object = dp_object_create();
    bool sound = dp_object_add(object, progress_fields, COUNT_OF(progress_fields), progress)
                 && dp_object_put_list(object, "history");
    for (size_t i = 0; i < progress->history_count && sound; i++)
        sound = dp_object_add(dp_object_append(object, "history"), epoch_fields,
                              COUNT_OF(epoch_fields), &progress->history[i]);
    if (sound && progress->probe_images)
        sound = dp_object_add(object, probe_fields, COUNT_OF(probe_fields), progress);
    if (sound && progress->length.count)
        sound = dp_object_add(object, &planned, 1, progress)
                && write_length(object, "length", &progress->length);
    if (sound && progress->extended.count)
        sound = write_length(object, "extended", &progress->extended);
    if (sound && progress->warning_count)
        sound = dp_object_put_list(object, "warnings");
    for (size_t i = 0; i < progress->warning_count && sound; i++)
        sound = dp_object_add(dp_object_append(object, "warnings"), warning_fields,
                              COUNT_OF(warning_fields), &progress->warnings[i]);
    char *text = sound ? dp_object_text(object, false) : NULL;
    dp_object_free(object);
    return text;
}

static deeper_status read_length(dp_length *length, const dp_object *list, const char *name,
                                 deeper_error *error) {
    for (size_t i = 0; i < dp_object_count(list); i++) {
        dp_stage stage;
        DP_TRY(dp_object_read(dp_object_at(list, i), stage_fields, COUNT_OF(stage_fields), &stage,
                              name, error));
        if (!dp_length_add(length, stage.from, stage.steps))
            return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: the length of the run is none", name);
    }
    return DEEPER_OK;
}

static deeper_status read_warnings(dp_progress *progress, const dp_object *list, const char *name,
                                   const deeper_allocator *allocator, deeper_error *error) {
    for (size_t i = 0; i < dp_object_count(list); i++) {
        dp_report_warning warning = { 0 };
        DP_TRY(dp_object_read(dp_object_at(list, i), warning_fields, COUNT_OF(warning_fields),
                              &warning, name, error));
        if (!dp_progress_warn(progress, warning.epoch, warning.text ? warning.text : "", allocator))
            return dp_fail_memory(error, "the warnings of the run");
    }
    return DEEPER_OK;
}

static deeper_status read_history(dp_progress *progress, const dp_object *list, const char *name,
                                  const deeper_allocator *allocator, deeper_error *error) {
    if (!dp_object_is_list(list))
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: \"history\" is missing", name);
    for (size_t i = 0; i < dp_object_count(list); i++) {
        dp_report_epoch epoch = { 0 };
        DP_TRY(dp_object_read(dp_object_at(list, i), epoch_fields, COUNT_OF(epoch_fields), &epoch,
                              name, error));
        if (!dp_progress_add(progress, &epoch, allocator))
            return dp_fail_memory(error, "the history of the run");
    }
    return DEEPER_OK;
}

deeper_status dp_progress_from_json(dp_progress *progress, const char *json, const char *name,
                                    const deeper_allocator *allocator, deeper_error *error) {
    dp_object *object = NULL;
    *progress = (dp_progress){ 0 };
    DP_TRY(dp_object_parse(&object, json, strlen(json), JSON_DEPTH, name, "the progress of the run",
                           -1, error));
    deeper_status status =
        dp_object_read(object, progress_fields, COUNT_OF(progress_fields), progress, name, error);
    if (status == DEEPER_OK && dp_object_member(object, "probe_images"))
        status =
            dp_object_read(object, probe_fields, COUNT_OF(probe_fields), progress, name, error);
    if (status == DEEPER_OK && dp_object_member(object, "planned"))
        status = dp_object_read(object, &planned, 1, progress, name, error);
    if (status == DEEPER_OK)
        status = read_length(&progress->length, dp_object_member(object, "length"), name, error);
    if (status == DEEPER_OK)
        status =
            read_length(&progress->extended, dp_object_member(object, "extended"), name, error);
    if (status == DEEPER_OK)
        status =
            read_history(progress, dp_object_member(object, "history"), name, allocator, error);
    if (status == DEEPER_OK)
        status =
            read_warnings(progress, dp_object_member(object, "warnings"), name, allocator, error);
    dp_object_free(object);
    if (status != DEEPER_OK)
        dp_progress_free(progress, allocator);
    return status;
}
