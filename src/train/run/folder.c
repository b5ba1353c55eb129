/* folder.c - the run's folder: run.json, checkpoints, models. */
#include "base/files.h"
#include "formats/formats.h"
#include "train/core/news.h"
#include "train/options/options.h"
#include "train/record/checkpoint.h"
#include "train/record/record.h"
#include "train/run/trainer_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

enum { FINGERPRINT = 17 };

static const char RECORD[] = "run.json", CHECKPOINTS[] = "checkpoints";

char *dp_folder_path(const dp_trainer *t, const char *name) {
    return dp_path_join(t->allocator, t->options.out, name);
}

static void print_fingerprint(char text[FINGERPRINT], const dp_trainer *t) {
    snprintf(text, FINGERPRINT, "%016llx", (unsigned long long)t->pictures.fingerprint);
}

/* --------------------------------------------------------------------------------------- record */

static deeper_status make_checkpoints(const dp_trainer *t, deeper_error *error) {
    char *path = dp_folder_path(t, CHECKPOINTS);
    deeper_status status = path ? dp_folder_make(path, error) : dp_fail_memory(error, "a path");
    if (status == DEEPER_OK)
        status = dp_temporaries_remove(path, t->allocator, error);
    dp_free(t->allocator, path);
    return status;
}

static deeper_status write_record(const dp_trainer *t, const char *path, deeper_error *error) {
    char fingerprint[FINGERPRINT];
    print_fingerprint(fingerprint, t);
    const dp_run_facts facts = { .version = DP_VERSION,
                                 .data = fingerprint,
                                 .classes = t->network.model->classes,
                                 .train_images = t->images,
                                 .val_images = t->pictures.val.dataset->image_count };
    return dp_record_write(path, &facts, &t->options, t->allocator, error);
}

/* The folder is this process's until it ends, however it ends: two would write over each other.
 * File systems without locks do without. */
static deeper_status hold(dp_trainer *t, const char *record, deeper_error *error) {
    DP_TRY(dp_file_open(&t->held, record, error));
    if (flock(t->held, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return dp_fail(error, DEEPER_ERROR_IO,
                       "%s: another process trains there; stop it, or wait for its end",
                       t->options.out);
    return DEEPER_OK;
}

deeper_status dp_folder_begin(dp_trainer *t, deeper_error *error) {
    DP_TRY(dp_folder_make_new(t->options.out, "run", t->allocator, error));
    char *record = dp_folder_path(t, RECORD);
    deeper_status status =
        record ? write_record(t, record, error) : dp_fail_memory(error, "a path");
    if (status == DEEPER_OK)
        status = hold(t, record, error);
    dp_free(t->allocator, record);
    return status == DEEPER_OK ? make_checkpoints(t, error) : status;
}

deeper_status dp_folder_resume(dp_trainer *t, const deeper_train_options *given,
                               deeper_error *error) {
    deeper_error why = { 0 };
    char *path = dp_folder_path(t, RECORD);
    if (!path)
        return dp_fail_memory(error, "a path");
    deeper_status status =
        dp_record_read(&t->record, &t->facts, &t->options, path, t->allocator, &why);
    if (status == DEEPER_OK)
        status = hold(t, path, &why);
    dp_free(t->allocator, path);
    if (status != DEEPER_OK)
        return dp_fail(error, status, "%s", why.message);
    dp_record_move(&t->options, given);
    DP_TRY(dp_temporaries_remove(t->options.out, t->allocator, error));
    return make_checkpoints(t, error); /* the run may have been killed before it had */
}

deeper_status dp_folder_check_data(const dp_trainer *t, deeper_error *error) {
    char fingerprint[FINGERPRINT];
    print_fingerprint(fingerprint, t);
    if (t->facts.data && strcmp(t->facts.data, fingerprint) == 0)
        return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_MISMATCH,
                   "%s: not the pictures that the run in %s began with (files were added, removed "
                   "or changed); begin a new run",
                   t->options.data, t->options.out);
}

/* ---------------------------------------------------------------------------------- checkpoints */

enum { ARENAS = 5 };

/* The state's arenas: the present ones and those of the last good state. Returns how many. */
static size_t list_arenas(const dp_trainer *t, dp_arena arenas[ARENAS]) {
    const dp_optimiser *o = t->optimiser;
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

deeper_status dp_folder_save(dp_trainer *t, deeper_error *error) {
    dp_arena arenas[ARENAS];
    size_t count = list_arenas(t, arenas);
    dp_seconds_so_far(t);
    char *folder = dp_folder_path(t, CHECKPOINTS), *state = dp_progress_to_json(&t->progress);
    deeper_status status = folder && state
                               ? dp_checkpoint_write(folder, t->progress.step, arenas, count, state,
                                                     t->options.keep, t->allocator, error)
                               : dp_fail_memory(error, "a checkpoint");
    dp_free(t->allocator, folder);
    free(state);
    t->saved = dp_now();
    return status;
}

/* The progress of a checkpoint that was read. */
static deeper_status restore(dp_trainer *t, const char *state, deeper_error *error) {
    dp_progress_free(&t->progress, t->allocator);
    DP_TRY(dp_progress_from_json(&t->progress, state, t->options.out, t->allocator, error));
    const dp_progress *p = &t->progress;
    if (p->position > t->images || p->epoch_images > t->images || p->epoch < 0
        || p->epoch > p->epochs)
        return dp_fail(error, DEEPER_ERROR_MISMATCH, "%s: its checkpoint is of another run",
                       t->options.out);
    dp_tell(t->calls, DEEPER_TRAIN_NOTE,
            "goes on from step %llu, after %d of %d epochs and %llu pictures",
            (unsigned long long)p->step, p->epoch, p->epochs, (unsigned long long)p->position);
    return DEEPER_OK;
}

deeper_status dp_folder_load(dp_trainer *t, deeper_error *error) {
    dp_arena arenas[ARENAS];
    size_t count = list_arenas(t, arenas);
    char *folder = dp_folder_path(t, CHECKPOINTS), *state = NULL;
    deeper_status status =
        folder ? dp_checkpoint_read(folder, arenas, count, &state, t->calls, t->allocator, error)
               : dp_fail_memory(error, "a path");
    if (status == DEEPER_OK && state)
        status = restore(t, state, error);
    else if (status == DEEPER_OK)
        dp_tell(t->calls, DEEPER_TRAIN_NOTE, "%s: no checkpoint was written; begins anew",
                t->options.out);
    dp_free(t->allocator, folder);
    dp_free(t->allocator, state);
    return status;
}

/* --------------------------------------------------------------------------------------- models */

static char *training_record(const dp_trainer *t) {
    const dp_report_epoch *epoch = &t->progress.history[t->progress.history_count - 1];
    char fingerprint[FINGERPRINT];
    print_fingerprint(fingerprint, t);
    return dp_trained_text(&(dp_trained){ .data = fingerprint,
                                          .train_images = t->images,
                                          .val_images = t->pictures.val.dataset->image_count,
                                          .epoch = epoch->epoch,
                                          .epochs = t->progress.epochs,
                                          .seed = t->options.seed,
                                          .val_top1 = epoch->val_top1,
                                          .val_top5 = epoch->val_top5,
                                          .val_loss = epoch->val_losses[0] });
}

static deeper_status save_as(const dp_trainer *t, const dp_model *model, const char *name,
                             deeper_error *error) {
    char *path = dp_folder_path(t, name);
    deeper_status status =
        path ? dp_model_save(model, path, NULL, error) : dp_fail_memory(error, "a path");
    dp_free(t->allocator, path);
    return status;
}

deeper_status dp_folder_save_models(const dp_trainer *t, deeper_error *error) {
    char fine_tuned[] = "deeper train, fine-tuned", scratch[] = "deeper train, from scratch";
    dp_model model;
    DP_TRY(dp_model_at(&model, t->network.model, dp_optimiser_result(t->optimiser), error));
    char *record = training_record(t);
    deeper_status status = record ? DEEPER_OK : dp_fail_memory(error, "a model to save");
    model.source = t->network.fine_tuned ? fine_tuned : scratch;
    model.training = record;
    if (status == DEEPER_OK)
        status = save_as(t, &model, "last.safetensors", error);
    if (status == DEEPER_OK && t->progress.history[t->progress.history_count - 1].best)
        status = save_as(t, &model, "model.safetensors", error);
    dp_free(t->allocator, model.values);
    free(record);
    return status;
}
