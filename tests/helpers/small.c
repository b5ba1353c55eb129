/* small.c - see small.h. */
#include "helpers/small.h"

#include "helpers/helpers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

deeper_model *small_model(uint64_t seed, const char *labels) {
    deeper_model *model = NULL;
    deeper_error error = { 0 };
    deeper_model_options options = DEEPER_MODEL_OPTIONS_INIT;
    options.labels = labels;
    options.preprocess = SMALL_PREPROCESS;
    if (deeper_model_create(&model, SMALL_ARCHITECTURE, SMALL_CLASSES, SMALL_SIDE, &options, &error)
            != DEEPER_OK
        || deeper_model_initialize(model, seed, &error) != DEEPER_OK) {
        fprintf(stderr, "the test cannot go on: %s\n", error.message);
        exit(1);
    }
    return model;
}

float *small_input(int count) {
    float *input = malloc((size_t)count * SMALL_FLOATS * sizeof *input);
    for (int i = 0; input && i < count * SMALL_FLOATS; i++)
        input[i] = 100 * sinf(0.37F * (float)i + (float)(i / SMALL_FLOATS));
    return input;
}

void small_picture(const char *path, int number) {
    int width = 54 + number % 5 * 7, height = 54 + number % 3 * 11;
    unsigned char *bytes = malloc(32 + (size_t)width * (size_t)height * 3);
    int size = bytes ? snprintf((char *)bytes, 32, "P6 %d %d 255\n", width, height) : 0;
    for (int y = 0; bytes && y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                bytes[size++] = (unsigned char)(127
                                                + 120
                                                      * sin(0.02 * (number + 1) * x
                                                            + 0.05 * y * (c + 1) + number));
    test_write(path, bytes, (size_t)size);
    free(bytes);
}
