/* make_model.c - a small model file for the tests of the program: an architecture with made-up weights.
 *
 *     make_model ARCH CLASSES SIZE LABELS|- OUT */
#include <deeper/deeper.h>

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
    if (deeper_model_create(&model, words[1], atoi(words[2]), atoi(words[3]), &options, &error)
        || deeper_model_initialize(model, 7, &error) || deeper_model_save(model, words[5], &error)) {
        fprintf(stderr, "make_model: %s\n", error.message);
        deeper_model_close(model);
        return 1;
    }
    deeper_model_close(model);
    return 0;
}
