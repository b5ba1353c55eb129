/* model_file.c - from a safetensors file to a dp_model: what it says of itself (description.c), then the tensors. model_save.c is
 * the way back. */
#include "formats/model_file.h"

#include "formats/description.h"
#include "formats/fill.h"
#include "formats/safetensors.h"

deeper_status dp_model_file_open(dp_model **model, const void *bytes, size_t size, const char *name,
                                 const deeper_allocator *allocator, deeper_error *error) {
    dp_safetensors file;
    *model = NULL;
    DP_TRY(dp_safetensors_parse(&file, bytes, size, name, allocator, error));
    deeper_status status = dp_model_describe(model, file.metadata, file.metadata_count, name, allocator, error);
    if (status == DEEPER_OK)
        status = dp_model_fill(*model, file.tensors, file.count, true, name, error);
    if (status != DEEPER_OK) {
        dp_model_free(*model);
        *model = NULL;
    }
    dp_safetensors_free(&file);
    return status;
}
