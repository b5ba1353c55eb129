/* tune_file.h - deeper_tune: a network tuned (tune.h) into a file of choices. */
#ifndef DP_MEASURE_TUNE_FILE_H
#define DP_MEASURE_TUNE_FILE_H

#include "model/model.h"

/* Contract: deeper_tune in deeper.h, of checked options. layer and result may be NULL. */
deeper_status dp_tune_file(const dp_model *model, const char *path,
                           const deeper_tune_options *options,
                           void (*layer)(void *context, const deeper_tuned_layer *layer),
                           void *context, deeper_tuning_result *result, deeper_error *error);

#endif
