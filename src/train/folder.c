/* folder.c - what a run leaves in its folder. */
#include "base/files.h"
#include "train/trainer_state.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static deeper_status make_folder(const char *path, deeper_error *error) {
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return dp_fail_errno(error, path, "make the folder");
    return DEEPER_OK;
}

deeper_status dp_folder_open(const dp_trainer *t, deeper_error *error) {
    const char *out = t->options->out;
    DP_TRY(make_folder(out, error));
    dp_listing listing;
    DP_TRY(dp_listing_read(&listing, out, t->allocator, error));
    size_t count = listing.count;
    dp_listing_free(&listing, t->allocator);
    if (count > 0)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "%s: the folder of a new run is not empty; resume it, or give another", out);
    return DEEPER_OK;
}

/* The training record of a model file. No times: the same run gives the same file. */
static char *training_record(const dp_trainer *t) {
    const dp_report_epoch *epoch = &t->progress.history[t->progress.history_count - 1];
    char fingerprint[24];
    snprintf(fingerprint, sizeof fingerprint, "%016llx", (unsigned long long)t->pictures.fingerprint);
    json_t *record = json_pack("{s:s, s:I, s:I, s:i, s:i, s:I, s:f, s:f, s:f}", "data", fingerprint, "train_images",
                               (json_int_t)t->pictures.train.dataset->image_count, "val_images",
                               (json_int_t)t->pictures.val.dataset->image_count, "epoch", epoch->epoch, "epochs",
                               t->progress.epochs, "seed", (json_int_t)t->options->seed, "val_top1", epoch->val_top1, "val_top5",
                               epoch->val_top5, "val_loss", epoch->val_losses[0]);
    char *text = record ? json_dumps(record, JSON_COMPACT) : NULL;
    json_decref(record);
    return text;
}

static deeper_status save_as(const dp_trainer *t, const dp_model *model, const char *name, deeper_error *error) {
    char *path = dp_path_join(t->allocator, t->options->out, name);
    deeper_status status = path ? dp_model_save(model, path, error) : dp_fail_memory(error, "a path");
    dp_free(t->allocator, path);
    return status;
}

deeper_status dp_folder_save_models(const dp_trainer *t, deeper_error *error) {
    dp_model model = *t->network.model;
    float *result = dp_optimiser_result(t->optimiser);
    char *record = training_record(t), source[256];
    model.values = dp_alloc(t->allocator, (size_t)model.graph->parameters, sizeof *model.values);
    deeper_status status = record && model.values ? DEEPER_OK : dp_fail_memory(error, "a model to save");
    for (int p = 0; status == DEEPER_OK && p < model.graph->parameters; p++)
        model.values[p] = result + (t->network.model->values[p] - t->network.model->arena);
    snprintf(source, sizeof source, "deeper train %s", t->network.fine_tuned ? "(fine-tuned)" : "(from scratch)");
    model.source = source;
    model.training = record;
    if (status == DEEPER_OK)
        status = save_as(t, &model, "last.safetensors", error);
    if (status == DEEPER_OK && t->progress.history[t->progress.history_count - 1].best)
        status = save_as(t, &model, "model.safetensors", error);
    dp_free(t->allocator, model.values);
    free(record);
    return status;
}
