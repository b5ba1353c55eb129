/* open.c - models opened, whatever the format: found by content. Each format is a row of one table
 * and a folder of its own. */
#include "formats/formats.h"

#include "base/files.h"
#include "formats/caffe/caffemodel.h"
#include "formats/numpy/npz.h"
#include "formats/onnx/onnx.h"
#include "formats/onnx/onnx_file.h"
#include "formats/safetensors/model_file.h"
#include "formats/safetensors/safetensors.h"
#include "formats/torch/torch.h"

#include <string.h>

typedef struct format {
    const char *name;
    bool (*sniff)(const unsigned char *bytes, size_t size);
    deeper_status (*open)(dp_model **model, const void *bytes, size_t size, const char *name,
                          const deeper_allocator *allocator, deeper_error *error);
    /* The same for formats that may keep values in other files of `folder` (NULL: it is not known)
     * and do not say what their output is; open is then NULL. */
    deeper_status (*open_in)(dp_model **model, const void *bytes, size_t size, const char *name,
                             const char *folder, const char *answer,
                             const deeper_allocator *allocator, deeper_error *error);
} format;

static const format formats[] = {
    { "safetensors", dp_safetensors_sniff, dp_model_file_open, NULL },
    { "onnx", dp_onnx_sniff, NULL, dp_onnx_open },
    { "npz", dp_npz_sniff, dp_model_npz_open, NULL },
    { "torch", dp_torch_sniff, dp_model_torch_open, NULL },
    { "caffemodel", dp_caffemodel_sniff, dp_caffemodel_open, NULL },
};

deeper_status dp_model_open_bytes(dp_model **model, const void *bytes, size_t size,
                                  const char *name, const char *folder, const char *answer,
                                  const deeper_allocator *allocator, deeper_error *error) {
    *model = NULL;
    if (size == 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: an empty file; fetch or write it again",
                       name);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (!formats[i].sniff(bytes, size))
            continue;
        if (formats[i].open && answer)
            return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                           "%s: answer: the format (%s) says itself what its output is", name,
                           formats[i].name);
        DP_TRY(formats[i].open ? formats[i].open(model, bytes, size, name, allocator, error)
                               : formats[i].open_in(model, bytes, size, name, folder, answer,
                                                    allocator, error));
        (*model)->format = formats[i].name;
        return DEEPER_OK;
    }
    return dp_fail_at(error, DEEPER_ERROR_FORMAT, 0,
                      "%s: not a model that deeper reads; safetensors, ONNX, npz, PyTorch state "
                      "dicts and published caffemodels are",
                      name);
}

/* Whether the model uses weights inside the file: formats take all of them in place or none. */
static bool uses_file(const dp_model *model) {
    return model->values && !model->arena;
}

deeper_status dp_model_open(dp_model **model, const char *path, const deeper_allocator *allocator,
                            deeper_error *error) {
    const dp_open_options options = { 0 };
    return dp_model_open_as(model, path, &options, allocator, error);
}

/* dp_model_open_bytes with the folder that the file is in. */
static deeper_status open_at(dp_model **model, const void *bytes, size_t size, const char *path,
                             const char *answer, const deeper_allocator *allocator,
                             deeper_error *error) {
    char *folder = dp_strdup(allocator, path), *slash = folder ? strrchr(folder, '/') : NULL;
    if (!folder)
        return dp_fail_memory(error, "a path");
    if (slash)
        slash[slash == folder] = '\0';
    deeper_status status = dp_model_open_bytes(model, bytes, size, path, slash ? folder : ".",
                                               answer, allocator, error);
    dp_free(allocator, folder);
    return status;
}

static deeper_status open_mapped(dp_model **model, const char *path, const char *answer,
                                 const deeper_allocator *allocator, deeper_error *error) {
    dp_map map;
    DP_TRY(dp_map_open(&map, path, DP_MODEL_BYTES, error));
    deeper_status status = open_at(model, map.data, map.size, path, answer, allocator, error);
    if (status == DEEPER_OK && uses_file(*model))
        (*model)->map = map;
    else
        dp_map_close(&map);
    return status;
}

static deeper_status open_copy(dp_model **model, const char *path, const char *answer,
                               const deeper_allocator *allocator, deeper_error *error) {
    void *bytes = NULL;
    size_t size = 0;
    DP_TRY(dp_file_read(&bytes, &size, path, DP_MODEL_BYTES, allocator, error));
    deeper_status status = open_at(model, bytes, size, path, answer, allocator, error);
    if (status == DEEPER_OK && uses_file(*model))
        (*model)->file = bytes;
    else
        dp_free(allocator, bytes);
    return status;
}

deeper_status dp_model_open_as(dp_model **model, const char *path, const dp_open_options *options,
                               const deeper_allocator *allocator, deeper_error *error) {
    *model = NULL;
    return (options->mapped ? open_mapped : open_copy)(model, path, options->answer, allocator,
                                                       error);
}
