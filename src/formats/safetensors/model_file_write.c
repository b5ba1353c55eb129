/* model_file_write.c - from a dp_model to a safetensors or npz file with all that model_file.c
 * wants to find in it. */
#include "formats/formats.h"
#include "formats/numpy/npz.h"
#include "formats/safetensors/model_file.h"
#include "formats/safetensors/safetensors.h"
#include "model/description.h"
#include "model/fill.h"

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
    if (status == DEEPER_OK)
        status = write(path, tensors, (size_t)model->graph->parameters, description.texts,
                       description.count, model->allocator, error);
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
