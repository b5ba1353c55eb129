/* ensemble.c - members trained one after the other. A member is a run like any other, and is
 * resumed like any other. */
#include "train/run/ensemble.h"

#include "base/files.h"
#include "train/core/news.h"
#include "train/options/options.h"
#include "train/record/record.h"
#include "train/run/folder.h"
#include "train/run/trainer.h"

#include <stdio.h>
#include <unistd.h>

static const char RECORD[] = "ensemble.json";

enum { NAME = 32 };

/* The ensemble that is being trained. */
typedef struct ensemble {
    const deeper_allocator *allocator;
    const deeper_train_calls *calls;
    deeper_train_options options;
    dp_object *record; /* of one that is resumed; texts of options live in it */
    bool fresh;        /* its folder was made by this call */
    int resume;
} ensemble;

/* Whether out/name is there; *path, where it is or would be, is freed by the caller. */
static deeper_status find(char **path, bool *there, const char *out, const char *name,
                          const deeper_allocator *allocator, deeper_error *error) {
    *path = dp_path_join(allocator, out, name);
    if (!*path)
        return dp_fail_memory(error, "a path");
    *there = dp_is_folder(*path) == 0;
    return DEEPER_OK;
}

/* Sums, and the best of the best. */
static void add_result(deeper_train_result *all, const deeper_train_result *one) {
    bool better = one->best_top1 > all->best_top1
                  || (one->best_top1 == all->best_top1 && one->best_loss < all->best_loss);
    if (all->epochs == 0 || better) {
        all->best_epoch = one->best_epoch;
        all->best_top1 = one->best_top1;
        all->best_top5 = one->best_top5;
        all->best_loss = one->best_loss;
    }
    all->epochs += one->epochs;
    all->steps += one->steps;
    all->images += one->images;
    all->unreadable += one->unreadable;
    all->seconds += one->seconds;
}

static deeper_status train_member(const ensemble *e, int number, deeper_train_result *result,
                                  deeper_error *error) {
    char name[NAME], *out;
    snprintf(name, sizeof name, "member%d", number);
    out = dp_path_join(e->allocator, e->options.out, name);
    deeper_status status = out ? DEEPER_OK : dp_fail_memory(error, "a path");
    if (status == DEEPER_OK) {
        deeper_train_options member = e->options;
        member.out = out;
        member.member = number;
        member.ensemble = 0;
        member.minutes /= e->options.ensemble;
        member.resume = e->resume && dp_folder_has_run(out, e->allocator);
        dp_tell(e->calls, DEEPER_TRAIN_NOTE, "member %d of %d, in %s", number, e->options.ensemble,
                out);
        status = dp_train(&member, e->calls, result, e->allocator, error);
    }
    dp_free(e->allocator, out);
    return status;
}

static deeper_status begin(ensemble *e, const char *path, deeper_error *error) {
    DP_TRY(dp_train_options_check(&e->options, error));
    if (e->options.member)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "ensemble trains all members, member one of them: give one of the two");
    e->fresh = dp_is_folder(e->options.out) < 0;
    DP_TRY(dp_folder_make_new(e->options.out, "run", e->allocator, error));
    const dp_run_facts facts = { .version = DP_VERSION };
    const dp_record_options options = { .given = &e->options, .again = &e->options };
    return dp_record_write(path, &facts, &options, e->allocator, error);
}

static deeper_status resume(ensemble *e, const deeper_train_options *given, const char *path,
                            deeper_error *error) {
    DP_TRY(dp_record_read(&e->record, NULL, &e->options, path, e->allocator, error));
    if (given->epochs > 0)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "epochs: %s is an ensemble; extend its members, one after the other",
                       given->out);
    dp_record_move(&e->options, given);
    DP_TRY(dp_train_options_check(&e->options, error));
    if (e->options.ensemble < 2)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: an ensemble of %d members", path,
                       e->options.ensemble);
    return DEEPER_OK;
}

static deeper_status train_all(ensemble *e, const deeper_train_options *given, const char *path,
                               deeper_train_result *result, deeper_error *error) {
    *result = (deeper_train_result){ 0 };
    DP_TRY(e->resume ? resume(e, given, path, error) : begin(e, path, error));
    for (int number = 1; number <= e->options.ensemble; number++) {
        deeper_train_result one = { 0 };
        deeper_status status = train_member(e, number, &one, error);
        add_result(result, &one);
        DP_TRY(status);
    }
    return DEEPER_OK;
}

/* Removes what `begin` made, where no member has begun. */
static void abandon(const ensemble *e, const char *path) {
    char *member = dp_path_join(e->allocator, e->options.out, "member1");
    if (e->fresh && member && dp_is_folder(member) < 0) {
        dp_file_remove(path, NULL);
        rmdir(e->options.out);
    }
    dp_free(e->allocator, member);
}

deeper_status dp_train_runs(const deeper_train_options *options, const deeper_train_calls *calls,
                            deeper_train_result *result, const deeper_allocator *allocator,
                            deeper_error *error) {
    char *path = NULL;
    bool there = false;
    ensemble e = {
        .allocator = allocator, .calls = calls, .options = *options, .resume = options->resume
    };
    deeper_status status = find(&path, &there, options->out, RECORD, allocator, error);
    if (status == DEEPER_OK)
        status = (options->resume ? there : options->ensemble > 1)
                     ? train_all(&e, options, path, result, error)
                     : dp_train(options, calls, result, allocator, error);
    if (status != DEEPER_OK && status != DEEPER_ERROR_STOPPED)
        abandon(&e, path);
    dp_object_free(e.record);
    dp_free(allocator, path);
    return status;
}
