/* make_model.c - a small model file for the tests of the program: an architecture with made-up weights and
 * the usual preprocessing, which no public call sets.
 *
 *     make_model ARCH CLASSES SIZE LABELS|- OUT */
#include "api/handles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **words) {
    deeper_model *model = NULL;
    deeper_error error = { 0 };
    deeper_model_options options = DEEPER_MODEL_OPTIONS_INIT;
    if (count != 6)
        return 2;
    options.labels = strcmp(words[4], "-") ? words[4] : NULL;
    int size = atoi(words[3]);
    bool made = !deeper_model_create(&model, words[1], atoi(words[2]), size, &options, &error)
                && !deeper_model_initialize(model, 7, &error);
    if (made) {
        model->model->has_preprocess = true;
        model->model->preprocess = (dp_preprocess){ .size = size,
                                                    .channels = 3,
                                                    .mean = { 124, 117, 104 },
                                                    .scale = { 0.02F, 0.02F, 0.02F },
                                                    .rule = DP_RESIZE_SHORT,
                                                    .side = size,
                                                    .filter = DP_FILTER_BILINEAR };
    }
    if (!made || deeper_model_save(model, words[5], &error)) {
        fprintf(stderr, "make_model: %s\n", error.message);
        deeper_model_close(model);
        return 1;
    }
    deeper_model_close(model);
    return 0;
}
