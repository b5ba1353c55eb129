/* model_file_write.c - from a dp_model to a safetensors or npz file with all that model_file.c
 * wants to find in it. */
#include "formats/formats.h"
#include "formats/numpy/npz.h"
#include "formats/safetensors/model_file.h"
#include "formats/safetensors/safetensors.h"
#include "model/description.h"
#include "model/fill.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* dp_safetensors_write, dp_npz_write. */
typedef deeper_status container_writer(const char *path, const dp_tensor *tensors, size_t count,
                                       const dp_text *texts, size_t text_count,
                                       const deeper_allocator *allocator, deeper_error *error);

static deeper_status write_container(const dp_model *model, const char *path,
                                     container_writer *write, deeper_error *error) {
    dp_description description;
    dp_tensor *tensors = NULL;
    DP_TRY(dp_description_make(&description, model, error));
    deeper_status status = dp_model_tensors(&tensors, model, error);
    size_t count = (size_t)model->graph->parameters, text_count = description.count;
    dp_text texts[DP_DESCRIPTION_TEXTS + 1];
    char sum[DP_DESCRIPTION_SUM_TEXT];
    memcpy(texts, description.texts, text_count * sizeof *texts);
    if (status == DEEPER_OK && write == dp_safetensors_write) {
        snprintf(sum, sizeof sum, "%016" PRIx64,
                 dp_description_sum(tensors, count, texts, text_count));
        texts[text_count++] = (dp_text){ DP_DESCRIPTION_SUM, sum };
    }
    if (status == DEEPER_OK)
        status = write(path, tensors, count, texts, text_count, model->allocator, error);
    dp_free(model->allocator, tensors);
    dp_description_free(&description);
    return status;
}

deeper_status dp_model_file_write(const dp_model *model, const char *path,
                                  const dp_save_options *options, deeper_error *error) {
    return write_container(model, path, dp_safetensors_write, error);
}

deeper_status dp_model_npz_write(const dp_model *model, const char *path,
                                 const dp_save_options *options, deeper_error *error) {
    return write_container(model, path, dp_npz_write, error);
}
