/* make_model.c - a small model file for the tests of the program: an architecture with made-up
 * weights.
 *
 *     make_model ARCH CLASSES SIZE LABELS|- PREPROCESS|- OUT */
#include <deeper/deeper.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *word_or_none(const char *word) {
    return strcmp(word, "-") ? word : NULL;
}

int main(int count, char **words) {
    deeper_model *model = NULL;
    deeper_error error = { 0 };
    deeper_model_options options = DEEPER_MODEL_OPTIONS_INIT;
    if (count != 7)
        return 2;
    options.labels = word_or_none(words[4]);
    options.preprocess = word_or_none(words[5]);
    bool failed =
        deeper_model_create(&model, words[1], atoi(words[2]), atoi(words[3]), &options, &error)
        || deeper_model_initialize(model, 7, &error) || deeper_model_save(model, words[6], &error);
    if (failed)
        fprintf(stderr, "make_model: %s\n", error.message);
    deeper_model_close(model);
    return failed;
}
