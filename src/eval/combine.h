/* combine.h - one answer out of many: the softmax of a picture's crops, or of several models, made
 * into one. */
#ifndef DP_EVAL_COMBINE_H
#define DP_EVAL_COMBINE_H

#include "base/status.h"

/* "mean", "max", "geometric"; NULL past the last. */
const char *dp_combine_name(deeper_combine rule);

/* out[c] of `rows` softmaxes of `classes` values each (rows >= 1; a single one is copied):
 *     mean       (sum over rows, in their order, of p[row][c]) / rows
 *     max        m[c] / sum of m,   m[c] = the largest p[row][c]
 *     geometric  g[c] / sum of g,   g[c] = exp(mean over rows of ln p[row][c]), p held above the
 *                smallest normal float
 * out may not lie in softmaxes. */
void dp_combine(deeper_combine rule, const float *softmaxes, size_t rows, size_t classes,
                float *out);

#endif
