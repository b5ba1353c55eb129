/* small.h - a network small enough to be run hundreds of times in a test, and picture files to feed
 * it with. Why here: the tests of the public calls need a model that can classify, and no weights
 * may lie in the repository. */
#ifndef TEST_HELPERS_SMALL_H
#define TEST_HELPERS_SMALL_H

#include <deeper/deeper.h>

enum { SMALL_SIDE = 48, SMALL_CLASSES = 7, SMALL_FLOATS = 3 * SMALL_SIDE * SMALL_SIDE };

#define SMALL_ARCHITECTURE "googlenet:width=0.125"

#define SMALL_PREPROCESS                                                                           \
    "{\"size\":48,\"channels\":3,\"order\":\"BGR\",\"mean\":[104,117,123],\"scale\":[1,1,1],"      \
    "\"resize\":{\"rule\":\"short\",\"side\":54,\"filter\":\"bilinear\"},\"crop\":\"centre\"}"

/* A model of SMALL_ARCHITECTURE, SMALL_CLASSES, SMALL_SIDE and SMALL_PREPROCESS with values from
 * `seed`. labels: a file of labels or NULL. */
deeper_model *small_model(uint64_t seed, const char *labels);

/* Inputs for `count` images, each its own; freed by free(). */
float *small_input(int count);

/* Writes picture `number` (its own size, at least 54 pixels a side, and its own smooth pixels) as a
 * PPM to `path`. */
void small_picture(const char *path, int number);

#endif
