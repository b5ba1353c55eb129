/* dataset.c - deeper_dataset. */
#include "api/handles.h"
#include "data/check.h"

/* A handle without a set. */
static deeper_status begin(deeper_dataset **dataset, const deeper_allocator *allocator,
                           deeper_error *error) {
    void *handle = NULL;
    DP_TRY(dp_handle_create(&handle, sizeof **dataset, allocator, error));
    *dataset = handle;
    return DEEPER_OK;
}

deeper_status deeper_dataset_open(deeper_dataset **dataset, const char *path, const char *root,
                                  const deeper_allocator *allocator, deeper_error *error) {
    DP_ENTRY;
    return deeper_dataset_open_part(dataset, path, root, DEEPER_PART_MEASURED, allocator, error);
}

deeper_status deeper_dataset_open_part(deeper_dataset **dataset, const char *path, const char *root,
                                       deeper_part part, const deeper_allocator *allocator,
                                       deeper_error *error) {
    DP_ENTRY;
    static const int parts[] = { DP_SETS, DP_TRAIN, DP_VAL, DP_TEST };
    DP_TRY(dp_need(dataset, "dataset", error));
    *dataset = NULL;
    DP_TRY(dp_need(path, "path", error));
    if ((unsigned)part > DEEPER_PART_TEST)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "part is %d; it is one of deeper_part",
                       (int)part);
    deeper_dataset *created = NULL;
    DP_TRY(begin(&created, allocator, error));
    deeper_status status = dp_dataset_open_part(&created->dataset, path, root, parts[part],
                                                created->owner.allocator, error);
    if (status != DEEPER_OK) {
        deeper_dataset_close(created);
        return status;
    }
    *dataset = created;
    return DEEPER_OK;
}

deeper_status deeper_dataset_open_pair(deeper_dataset **train, deeper_dataset **val,
                                       const char *path, const char *root,
                                       const deeper_allocator *allocator, deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(train, "train", error));
    DP_TRY(dp_need(val, "val", error));
    *train = *val = NULL;
    DP_TRY(dp_need(path, "path", error));
    deeper_dataset *first = NULL, *second = NULL;
    DP_TRY(begin(&first, allocator, error));
    deeper_status status = begin(&second, allocator, error);
    if (status == DEEPER_OK)
        status = dp_dataset_open_pair(&first->dataset, &second->dataset, path, root,
                                      first->owner.allocator, error);
    if (status != DEEPER_OK || !second->dataset) {
        deeper_dataset_close(second);
        second = NULL;
    }
    if (status != DEEPER_OK) {
        deeper_dataset_close(first);
        return status;
    }
    *train = first;
    *val = second;
    return DEEPER_OK;
}

void deeper_dataset_close(deeper_dataset *dataset) {
    if (!dataset)
        return;
    dp_dataset_free(dataset->dataset);
    dp_handle_free(dataset);
}

const char *deeper_dataset_path(const deeper_dataset *dataset) {
    return dataset ? dataset->dataset->path : "";
}

const char *deeper_dataset_note(const deeper_dataset *dataset, size_t index) {
    return dataset ? dp_dataset_note(dataset->dataset, index) : NULL;
}

size_t deeper_dataset_images(const deeper_dataset *dataset) {
    return dataset ? dataset->dataset->image_count : 0;
}

size_t deeper_dataset_classes(const deeper_dataset *dataset) {
    return dataset ? dataset->dataset->class_count : 0;
}

const char *deeper_dataset_class(const deeper_dataset *dataset, size_t index, size_t *images) {
    if (index >= deeper_dataset_classes(dataset))
        return NULL;
    if (images)
        *images = dataset->dataset->classes[index].images;
    return dp_dataset_class(dataset->dataset, index);
}

const char *deeper_dataset_image(const deeper_dataset *dataset, size_t index, size_t *class_index) {
    if (index >= deeper_dataset_images(dataset))
        return NULL;
    if (class_index)
        *class_index = dataset->dataset->images[index].class_index;
    return dp_dataset_name(dataset->dataset, index);
}

int deeper_dataset_numbered(const deeper_dataset *dataset) {
    return dataset && dataset->dataset->numbered;
}

uint64_t deeper_dataset_fingerprint(const deeper_dataset *dataset) {
    return dataset ? dp_dataset_fingerprint(dataset->dataset) : 0;
}

deeper_status deeper_dataset_check(const deeper_dataset *train, const deeper_dataset *val,
                                   const deeper_dataset_check_options *options,
                                   deeper_dataset_soundness *result, size_t size,
                                   deeper_error *error) {
    DP_ENTRY;
    DP_TRY(dp_need(train, "train", error));
    DP_TRY(dp_need_result(result, size, "result", error));
    deeper_dataset_check_options taken = DEEPER_DATASET_CHECK_OPTIONS_INIT;
    DP_TRY(dp_options_read(&taken, sizeof taken, options, "deeper_dataset_check_options", error));
    DP_TRY(dp_need_readers(taken.readers, error));
    const dp_check_calls calls = { .progress = taken.progress,
                                   .problem = taken.problem,
                                   .context = taken.context };
    deeper_dataset_soundness soundness;
    DP_TRY(dp_dataset_check(&soundness, train->dataset, val ? val->dataset : NULL,
                            taken.readers ? taken.readers : dp_processors(),
                            &(dp_picture_limits){ taken.max_pixels, taken.max_memory }, &calls,
                            train->owner.allocator, error));
    dp_result_give(result, size, &soundness, sizeof soundness);
    return DEEPER_OK;
}
