/* combine.c - the three rules. The paper averages (section 7) and found the maximum over crops
 * worse. */
#include "eval/combine.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const char *const names[] = { [DEEPER_COMBINE_MEAN] = "mean",
                                     [DEEPER_COMBINE_MAX] = "max",
                                     [DEEPER_COMBINE_GEOMETRIC] = "geometric" };

const char *dp_combine_name(deeper_combine rule) {
    return (unsigned)rule < sizeof names / sizeof *names ? names[rule] : NULL;
}

static void mean(const float *softmaxes, size_t rows, size_t classes, float *out) {
    memcpy(out, softmaxes, classes * sizeof *out);
    for (size_t row = 1; row < rows; row++)
        for (size_t c = 0; c < classes; c++)
            out[c] += softmaxes[row * classes + c];
    for (size_t c = 0; c < classes; c++)
        out[c] /= (float)rows;
}

/* Divides by the sum, so that the values are probabilities again. */
static void normalise(float *values, size_t classes) {
    double sum = 0;
    for (size_t c = 0; c < classes; c++)
        sum += (double)values[c];
    for (size_t c = 0; c < classes; c++)
        values[c] = (float)((double)values[c] / sum);
}

static void largest(const float *softmaxes, size_t rows, size_t classes, float *out) {
    memcpy(out, softmaxes, classes * sizeof *out);
    for (size_t row = 1; row < rows; row++)
        for (size_t c = 0; c < classes; c++)
            out[c] = fmaxf(out[c], softmaxes[row * classes + c]);
    normalise(out, classes);
}

static void geometric(const float *softmaxes, size_t rows, size_t classes, float *out) {
    float max = -INFINITY; /* taken off, so that a hundred small factors do not end at zero for
                               every class */
    for (size_t c = 0; c < classes; c++) {
        double sum = 0;
        for (size_t row = 0; row < rows; row++)
            sum += log((double)fmaxf(softmaxes[row * classes + c], FLT_MIN));
        out[c] = (float)(sum / (double)rows);
        max = fmaxf(max, out[c]);
    }
    for (size_t c = 0; c < classes; c++)
        out[c] = expf(out[c] - max);
    normalise(out, classes);
}

void dp_combine(deeper_combine rule, const float *softmaxes, size_t rows, size_t classes,
                float *out) {
    static void (*const rules[])(const float *, size_t, size_t,
                                 float *) = { [DEEPER_COMBINE_MEAN] = mean,
                                              [DEEPER_COMBINE_MAX] = largest,
                                              [DEEPER_COMBINE_GEOMETRIC] = geometric };
    if (rows == 1)
        memcpy(out, softmaxes, classes * sizeof *out);
    else
        rules[rule](softmaxes, rows, classes, out);
}
