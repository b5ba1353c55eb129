/* folder.c - what is written to a run's folder, and what of it is read again. */
#include "train/run/folder.h"

#include "base/files.h"
#include "base/temporary.h"
#include "formats/formats.h"
#include "train/core/news.h"
#include "train/record/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { FINGERPRINT = 17 };

static const char RECORD[] = "run.json", CHECKPOINTS[] = "checkpoints",
                  BEST[] = "model.safetensors", LAST[] = "last.safetensors",
                  COPY[] = "checkpoints/run.json", SPLIT[] = "split.csv";

char *dp_folder_path(const dp_run_folder *f, const char *name) {
    return dp_path_join(f->allocator, f->path, name);
}

void dp_folder_close(dp_run_folder *f) {
    dp_object_free(f->record);
    if (f->held >= 0)
        close(f->held);
}

static void print_fingerprint(char text[FINGERPRINT], const dp_pictures *pictures) {
    snprintf(text, FINGERPRINT, "%016llx", (unsigned long long)pictures->fingerprint);
}

/* --------------------------------------------------------------------------------------- record */

static deeper_status make_checkpoints(const dp_run_folder *f, deeper_error *error) {
    char *path = dp_folder_path(f, CHECKPOINTS);
    deeper_status status = path ? dp_folder_make(path, error) : dp_fail_memory(error, "a path");
    if (status == DEEPER_OK)
        status = dp_temporaries_remove(path, error);
    dp_free(f->allocator, path);
    return status;
}

deeper_status dp_folder_record(const dp_run_folder *f, const dp_record_options *options,
                               const dp_pictures *pictures, int classes, deeper_error *error) {
    char fingerprint[FINGERPRINT];
    print_fingerprint(fingerprint, pictures);
    const dp_run_facts facts = { .version = DP_VERSION,
                                 .data = fingerprint,
                                 .classes = classes,
                                 .train_images = pictures->train.dataset->image_count,
                                 .val_images = pictures->val.dataset->image_count };
    static const char *const names[] = { RECORD, COPY };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = dp_folder_path(f, names[i]);
        deeper_status status = path ? dp_record_write(path, &facts, options, f->allocator, error)
                                    : dp_fail_memory(error, "a path");
        dp_free(f->allocator, path);
        DP_TRY(status);
        if (i == 0)
            DP_TRY(make_checkpoints(f, error));
    }
    return DEEPER_OK;
}

/* The folder is this process's until it ends, however it ends: two would write over each other.
 * File systems without locks do without. */
static deeper_status hold(dp_run_folder *f, deeper_error *error) {
    bool taken = false;
    DP_TRY(dp_folder_hold(&f->held, &taken, f->path, error));
    return taken
               ? dp_fail(error, DEEPER_ERROR_IO,
                         "%s: another process trains there; stop it, or wait for its end", f->path)
               : DEEPER_OK;
}

bool dp_folder_has_run(const char *path, const deeper_allocator *allocator) {
    static const char *const names[] = { RECORD, COPY };
    bool there = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *record = dp_path_join(allocator, path, names[i]);
        there = there || (record && dp_is_folder(record) == 0);
        dp_free(allocator, record);
    }
    return there;
}

deeper_status dp_folder_begin(dp_run_folder *f, const dp_record_options *options,
                              const dp_pictures *pictures, int classes, deeper_error *error) {
    bool there = dp_is_folder(f->path) >= 0;
    DP_TRY(dp_folder_make_new(f->path, "run", f->allocator, error));
    f->fresh = !there;
    DP_TRY(hold(f, error));
    return dp_folder_record(f, options, pictures, classes, error);
}

void dp_folder_abandon(dp_run_folder *f) {
    static const char *const names[] = { COPY, CHECKPOINTS, SPLIT, RECORD };
    bool empty = f->fresh;
    for (size_t i = 0; i < sizeof names / sizeof *names && empty; i++) {
        char *path = dp_folder_path(f, names[i]);
        if (path && names[i] == CHECKPOINTS)
            empty = rmdir(path) == 0 || errno == ENOENT;
        else if (path)
            dp_file_remove(path, NULL);
        dp_free(f->allocator, path);
    }
    if (empty)
        rmdir(f->path);
}

/* The record of that name, over what another one left. */
static deeper_status read_record(dp_run_folder *f, const char *name, deeper_train_options *options,
                                 deeper_error *error) {
    char *path = dp_folder_path(f, name);
    dp_object_free(f->record);
    f->record = NULL;
    deeper_status status =
        path ? dp_record_read(&f->record, &f->facts, options, path, f->allocator, error)
             : dp_fail_memory(error, "a path");
    dp_free(f->allocator, path);
    return status;
}

deeper_status dp_folder_resume(dp_run_folder *f, deeper_train_options *options,
                               const deeper_train_options *given, deeper_error *error) {
    deeper_error why = { 0 };
    deeper_status status = read_record(f, RECORD, options, &why);
    if (status != DEEPER_OK && read_record(f, COPY, options, NULL) == DEEPER_OK) {
        dp_tell(f->calls, DEEPER_TRAIN_WARNING, "%.300s: goes by its copy, %s/%s", why.message,
                f->path, COPY);
        status = DEEPER_OK;
    }
    if (status == DEEPER_OK)
        status = hold(f, &why);
    if (status != DEEPER_OK)
        return dp_fail(error, status, "%s", why.message);
    dp_record_move(options, given);
    DP_TRY(dp_temporaries_remove(f->path, error));
    return make_checkpoints(f, error); /* the run may have been killed before it had */
}

deeper_status dp_folder_check_data(const dp_run_folder *f, const char *data,
                                   const dp_pictures *pictures, deeper_error *error) {
    char fingerprint[FINGERPRINT];
    print_fingerprint(fingerprint, pictures);
    if (f->facts.data && strcmp(f->facts.data, fingerprint) == 0)
        return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_MISMATCH,
                   "%s: not the pictures that the run in %s began with (files were added, removed "
                   "or changed); begin a new run",
                   data, f->path);
}

/* ---------------------------------------------------------------------------------- checkpoints */

enum { ARENAS = 5 };

/* The state's arenas: the present ones and those of the last good state. Returns how many. */
static size_t list_arenas(const dp_optimiser *o, dp_arena arenas[ARENAS]) {
    size_t count = 0, floats = o->options.floats;
    arenas[count++] = (dp_arena){ "value", o->options.value, floats };
    arenas[count++] = (dp_arena){ "velocity", o->velocity, floats };
    arenas[count++] = (dp_arena){ "good.value", o->kept, floats };
    if (o->average) {
        arenas[count++] = (dp_arena){ "average", o->average, floats };
        arenas[count++] = (dp_arena){ "good.average", o->kept + floats, floats };
    }
    return count;
}

deeper_status dp_folder_save(const dp_run_folder *f, const dp_progress *progress,
                             const dp_optimiser *optimiser, int keep, deeper_error *error) {
    dp_arena arenas[ARENAS];
    size_t count = list_arenas(optimiser, arenas);
    char *folder = dp_folder_path(f, CHECKPOINTS), *state = dp_progress_to_json(progress);
    deeper_status status = folder && state
                               ? dp_checkpoint_write(folder, progress->step, arenas, count, state,
                                                     keep, f->allocator, error)
                               : dp_fail_memory(error, "a checkpoint");
    dp_free(f->allocator, folder);
    free(state);
    return status;
}

/* The progress of a checkpoint that was read. */
static deeper_status restore(const dp_run_folder *f, dp_progress *p, const char *state,
                             uint64_t images, deeper_error *error) {
    dp_progress_free(p, f->allocator);
    DP_TRY(dp_progress_from_json(p, state, f->path, f->allocator, error));
    if (p->position > images || p->epoch < 0 || p->epoch > p->epochs)
        return dp_fail(error, DEEPER_ERROR_MISMATCH, "%s: its checkpoint is of another run",
                       f->path);
    dp_tell(f->calls, DEEPER_TRAIN_NOTE,
            "goes on from step %llu, after %d of %d epochs and %llu pictures",
            (unsigned long long)p->step, p->epoch, p->epochs, (unsigned long long)p->position);
    return DEEPER_OK;
}

deeper_status dp_folder_load(const dp_run_folder *f, dp_progress *progress, dp_optimiser *optimiser,
                             uint64_t images, deeper_error *error) {
    dp_arena arenas[ARENAS];
    size_t count = list_arenas(optimiser, arenas);
    char *folder = dp_folder_path(f, CHECKPOINTS), *state = NULL;
    deeper_status status =
        folder ? dp_checkpoint_read(folder, arenas, count, &state, f->calls, f->allocator, error)
               : dp_fail_memory(error, "a path");
    if (status == DEEPER_OK && state)
        status = restore(f, progress, state, images, error);
    else if (status == DEEPER_OK)
        dp_tell(f->calls, DEEPER_TRAIN_NOTE, "%s: no checkpoint was written; begins anew", f->path);
    dp_free(f->allocator, folder);
    dp_free(f->allocator, state);
    return status;
}

/* --------------------------------------------------------------------------------------- models */

static char *training_record(const dp_pictures *pictures, const dp_report_epoch *epoch, int epochs,
                             uint64_t seed) {
    char fingerprint[FINGERPRINT];
    print_fingerprint(fingerprint, pictures);
    return dp_trained_text(&(dp_trained){ .data = fingerprint,
                                          .train_images = pictures->train.dataset->image_count,
                                          .val_images = pictures->val.dataset->image_count,
                                          .epoch = epoch->epoch,
                                          .epochs = epochs,
                                          .seed = seed,
                                          .val_top1 = epoch->val_top1,
                                          .val_top5 = epoch->val_top5,
                                          .val_loss = epoch->val_losses[0] });
}

static deeper_status save_as(const dp_run_folder *f, const dp_model *model, const char *name,
                             deeper_error *error) {
    char *path = dp_folder_path(f, name);
    deeper_status status =
        path ? dp_model_save(model, path, NULL, error) : dp_fail_memory(error, "a path");
    dp_free(f->allocator, path);
    return status;
}

deeper_status dp_folder_save_models(const dp_run_folder *f, const dp_network *network,
                                    const dp_pictures *pictures, const dp_optimiser *optimiser,
                                    const dp_report_epoch *epoch, int epochs, uint64_t seed,
                                    deeper_error *error) {
    char fine_tuned[] = "deeper train, fine-tuned", scratch[] = "deeper train, from scratch";
    dp_model model;
    DP_TRY(dp_model_at(&model, network->model, dp_optimiser_result(optimiser), error));
    char *record = training_record(pictures, epoch, epochs, seed);
    deeper_status status = record ? DEEPER_OK : dp_fail_memory(error, "a model to save");
    model.source = network->fine_tuned ? fine_tuned : scratch;
    model.training = record;
    if (status == DEEPER_OK)
        status = save_as(f, &model, LAST, error);
    if (status == DEEPER_OK && epoch->best)
        status = save_as(f, &model, BEST, error);
    dp_free(f->allocator, model.values);
    free(record);
    return status;
}

/* Copies the values of a model that was opened at `path`. */
static deeper_status take_values(const dp_model *saved, const dp_model *model, float *arena,
                                 const char *path, deeper_error *error) {
    if (!saved->values || saved->graph->parameters != model->graph->parameters)
        return dp_fail(error, DEEPER_ERROR_MISMATCH, "%s: is of another run", path);
    for (int p = 0; p < model->graph->parameters; p++) {
        dp_shape shape = dp_model_parameter(model, p)->shape;
        if (!dp_shape_equal(shape, dp_model_parameter(saved, p)->shape))
            return dp_fail(error, DEEPER_ERROR_MISMATCH, "%s: is of another run", path);
        memcpy(arena + (model->values[p] - model->arena), saved->values[p],
               dp_shape_floats(shape) * sizeof(float));
    }
    return DEEPER_OK;
}

bool dp_folder_has_model(const dp_run_folder *f, bool best, deeper_error *why) {
    dp_model *saved = NULL;
    char *path = dp_folder_path(f, best ? BEST : LAST);
    deeper_status status =
        path ? dp_model_open(&saved, path, f->allocator, why) : dp_fail_memory(why, "a path");
    dp_model_free(saved);
    dp_free(f->allocator, path);
    return status == DEEPER_OK;
}

deeper_status dp_folder_load_best(const dp_run_folder *f, const dp_network *network, float *arena,
                                  deeper_error *error) {
    dp_model *saved = NULL;
    char *path = dp_folder_path(f, BEST);
    deeper_status status =
        path ? dp_model_open(&saved, path, f->allocator, error) : dp_fail_memory(error, "a path");
    if (status == DEEPER_OK)
        status = take_values(saved, network->model, arena, path, error);
    dp_model_free(saved);
    dp_free(f->allocator, path);
    return status;
}
