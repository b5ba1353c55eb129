/* model_file.c - from a container to a dp_model: what it says of itself (description.c), then the
 * tensors. model_file_write.c is the way back. */
#include "formats/safetensors/model_file.h"

#include "formats/numpy/npz.h"
#include "formats/safetensors/safetensors.h"
#include "formats/torch/torch.h"
#include "formats/torch/torchvision.h"
#include "model/description.h"
#include "model/fill.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Whether any text is ours: then it is a model of deeper, sound or not. */
static bool describes_itself(const dp_contents *contents) {
    for (size_t i = 0; i < contents->text_count; i++)
        if (strncmp(contents->texts[i].key, "deeper.", 7) == 0)
            return true;
    return false;
}

deeper_status dp_model_from_contents(dp_model **model, const dp_contents *contents, bool in_place,
                                     const char *name, const deeper_allocator *allocator,
                                     deeper_error *error) {
    *model = NULL;
    if (!describes_itself(contents))
        return dp_torchvision_open(model, contents, in_place, name, allocator, error);
    deeper_status status =
        dp_model_describe(model, contents->texts, contents->text_count, name, allocator, error);
    if (status == DEEPER_OK)
        status = dp_model_fill(*model, contents->tensors, contents->count, in_place, name, error);
    if (status != DEEPER_OK) {
        dp_model_free(*model);
        *model = NULL;
    }
    return status;
}

/* FORMAT if the file says what its bytes add up to, and they do not. */
static deeper_status check_sum(const dp_contents *contents, const char *name, deeper_error *error) {
    const char *said = dp_text_find(contents->texts, contents->text_count, DP_DESCRIPTION_SUM);
    char sum[DP_DESCRIPTION_SUM_TEXT];
    if (!said)
        return DEEPER_OK;
    snprintf(sum, sizeof sum, "%016" PRIx64,
             dp_description_sum(contents->tensors, contents->count, contents->texts,
                                contents->text_count));
    return strcmp(sum, said) == 0
               ? DEEPER_OK
               : dp_fail(error, DEEPER_ERROR_FORMAT,
                         "%s: damaged: its checksum is %s, not %.16s; fetch or write it again",
                         name, sum, said);
}

deeper_status dp_model_file_open(dp_model **model, const void *bytes, size_t size, const char *name,
                                 const deeper_allocator *allocator, deeper_error *error) {
    dp_safetensors file;
    *model = NULL;
    DP_TRY(dp_safetensors_parse(&file, bytes, size, name, allocator, error));
    const dp_contents contents = { file.tensors, file.count, file.metadata, file.metadata_count };
    deeper_status status = dp_model_from_contents(model, &contents, true, name, allocator, error);
    if (status == DEEPER_OK) /* last: what is wrong otherwise is said in more words */
        status = check_sum(&contents, name, error);
    if (status != DEEPER_OK) {
        dp_model_free(*model);
        *model = NULL;
    }
    dp_safetensors_free(&file);
    return status;
}

deeper_status dp_model_npz_open(dp_model **model, const void *bytes, size_t size, const char *name,
                                const deeper_allocator *allocator, deeper_error *error) {
    dp_npz file;
    *model = NULL;
    DP_TRY(dp_npz_parse(&file, bytes, size, name, allocator, error));
    const dp_contents contents = { file.tensors, file.count, file.texts, file.text_count };
    deeper_status status = dp_model_from_contents(model, &contents, false, name, allocator, error);
    dp_npz_free(&file);
    return status;
}

deeper_status dp_model_torch_open(dp_model **model, const void *bytes, size_t size,
                                  const char *name, const deeper_allocator *allocator,
                                  deeper_error *error) {
    dp_torch file;
    *model = NULL;
    DP_TRY(dp_torch_parse(&file, bytes, size, name, allocator, error));
    const dp_contents contents = { .tensors = file.tensors, .count = file.count };
    deeper_status status = dp_model_from_contents(model, &contents, false, name, allocator, error);
    dp_torch_free(&file);
    return status;
}
