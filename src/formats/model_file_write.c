/* model_file_write.c - from a dp_model to a safetensors file with all that model_file.c wants to find in it. */
#include "formats/description.h"
#include "formats/fill.h"
#include "formats/model_file.h"
#include "formats/safetensors.h"

deeper_status dp_model_file_write(const dp_model *model, const char *path, const dp_save_options *options, deeper_error *error) {
    dp_description description;
    dp_tensor *tensors = NULL;
    DP_TRY(dp_description_make(&description, model, error));
    deeper_status status = dp_model_tensors(&tensors, model, error);
    if (status == DEEPER_OK)
        status = dp_safetensors_write(path, tensors, (size_t)model->graph->parameters, description.texts, description.count,
                                      model->allocator, error);
    dp_free(model->allocator, tensors);
    dp_description_free(&description);
    return status;
}
