/* caffemodel_open.c - from a caffemodel to a model: one that deeper wrote says what it is; any
 * other, or one that was trained on with other layers since, is known by its layers, if it is one
 * of the published networks (caffe_zoo.c). */
#include "formats/caffe/caffe_zoo.h"
#include "formats/caffe/caffemodel.h"
#include "formats/safetensors/model_file.h"

#include <string.h>

/* Whether the name of a tensor ends so: its ending is then replaced by one that is not longer. */
static bool rename_ending(dp_tensor *tensor, const char *ending, const char *other) {
    size_t length = strlen(tensor->name), tail = strlen(ending);
    if (length < tail || strcmp(tensor->name + length - tail, ending) != 0)
        return false;
    char *name = (char *)(uintptr_t)tensor->name; /* in the file's own block of names */
    memcpy(name + length - tail, other, strlen(other) + 1);
    return true;
}

/* The layers of batch norms as one: statistics under their parameters' names, without the factor,
 * which is 1 in what deeper writes. */
static deeper_status join_statistics(dp_caffemodel *file, const char *name, deeper_error *error) {
    size_t kept = 0;
    for (size_t i = 0; i < file->count; i++) {
        dp_tensor *tensor = &file->tensors[i];
        if (rename_ending(tensor, DP_CAFFE_STATISTICS ".blob2", "")) {
            float factor = 0;
            if (tensor->bytes == sizeof factor && tensor->dtype == DP_DTYPE_F32)
                dp_tensor_read(tensor, &factor);
            if (factor != 1)
                return dp_fail(error, DEEPER_ERROR_FORMAT,
                               "%s: the statistics of %s have a factor that is not 1", name,
                               tensor->name);
            continue;
        }
        if (!rename_ending(tensor, DP_CAFFE_STATISTICS ".weight", ".running_mean"))
            rename_ending(tensor, DP_CAFFE_STATISTICS ".bias", ".running_var");
        file->tensors[kept++] = *tensor;
    }
    file->count = kept;
    return DEEPER_OK;
}

static deeper_status open_ours(dp_model **model, dp_caffemodel *file, const char *name,
                               deeper_error *error) {
    DP_TRY(join_statistics(file, name, error));
    const dp_contents contents = { file->tensors, file->count, file->texts, file->text_count };
    return dp_model_from_contents(model, &contents, false, name, file->allocator, error);
}

deeper_status dp_caffemodel_open(dp_model **model, const void *bytes, size_t size, const char *name,
                                 const deeper_allocator *allocator, deeper_error *error) {
    dp_caffemodel file;
    *model = NULL;
    DP_TRY(dp_caffemodel_parse(&file, bytes, size, name, allocator, error));
    deeper_status status = DEEPER_ERROR_MISMATCH;
    if (file.text_count)
        status = open_ours(model, &file, name, error);
    if (status == DEEPER_ERROR_MISMATCH) {
        dp_model_free(*model);
        status = dp_caffe_zoo_open(model, &file, name, error);
    }
    dp_caffemodel_free(&file);
    if (status != DEEPER_OK) {
        dp_model_free(*model);
        *model = NULL;
    }
    return status;
}
