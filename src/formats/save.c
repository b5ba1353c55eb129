/* save.c - models written: the ending of the file's name says the format. Each format is a
 * row of one table and a file of its own; what readers share with writers is in their headers. */
#include "formats/formats.h"

#include "formats/caffe/caffemodel.h"
#include "formats/onnx/onnx.h"
#include "formats/safetensors/model_file.h"

#include <string.h>

/* Writes `model`, which has values, to `path`; atomic. */
typedef deeper_status writer(const dp_model *model, const char *path,
                             const dp_save_options *options, deeper_error *error);

static const struct {
    const char *ending, *about;
    bool takes_preprocessing; /* can hold the model's preprocessing as a part of the network */
    writer *write;
} writers[] = {
    { ".safetensors", "deeper's own: weights, labels, preprocessing, training record", false,
      dp_model_file_write },
    { ".onnx", "ONNX: ONNX Runtime, OpenCV and most other engines", true, dp_onnx_write },
    { ".npz", "the same as named arrays for numpy.load", false, dp_model_npz_write },
    { ".caffemodel",
      "Caffe's weights and layers, with the deploy .prototxt beside it: Caffe, OpenCV, ncnn's "
      "converter",
      false, dp_caffemodel_write },
};

enum { WRITERS = sizeof writers / sizeof *writers };

static bool ends_with(const char *path, const char *ending) {
    size_t length = strlen(path), tail = strlen(ending);
    return length > tail && strcmp(path + length - tail, ending) == 0;
}

const char *dp_model_ending(size_t index, const char **about) {
    if (index >= WRITERS)
        return NULL;
    *about = writers[index].about;
    return writers[index].ending;
}

deeper_status dp_model_save(const dp_model *model, const char *path, const dp_save_options *options,
                            deeper_error *error) {
    const dp_save_options none = { 0 };
    options = options ? options : &none;
    if (options->heads_left_out)
        *options->heads_left_out = false;
    size_t i = 0;
    while (i < WRITERS && !ends_with(path, writers[i].ending))
        i++;
    if (i == WRITERS)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s: not written: its ending says no format that deeper writes, such as %s",
                       path, writers[0].ending);
    if (!model->values)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s: not written: the model has no weights yet", path);
    if (options->with_preprocessing && !writers[i].takes_preprocessing)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s: not written: only ONNX holds preprocessing in the network; %s keeps it "
                       "beside the weights",
                       path, writers[i].ending);
    if (options->with_preprocessing && !model->has_preprocess)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s: not written: the model does not say how a picture becomes its input",
                       path);
    return writers[i].write(model, path, options, error);
}
