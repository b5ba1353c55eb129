/* augment.h - what training does to a picture before the network sees it: the paper's sampling, as
 * far as it is known (FIELD: section A.4), each part switchable. All that is random comes from the
 * dp_random given, so a picture of an epoch can be had again. What it does not do: decode, choose
 * pictures. Nothing of it happens in evaluation. */
#ifndef DP_DATA_AUGMENT_H
#define DP_DATA_AUGMENT_H

#include "base/random.h"
#include "image/preprocess.h"

typedef struct dp_augment {
    bool area; /* a patch of 8 to 100 % of the area and of aspect 3/4 to 4/3, resized to the
                  network's input */
    bool crop; /* instead: the picture resized by the model's rule, cut at a random place (AlexNet,
                  BVLC) */
    bool mirror;        /* left and right exchanged with probability 1/2 */
    bool photometric;   /* brightness, contrast and colour, in random order, by factors 0.5 to 1.5
                           (Howard 2013) */
    bool lighting;      /* a shift along the principal components of colour (Krizhevsky 2012) */
    bool interpolation; /* one of the four filters at random, instead of the model's */
} dp_augment;

/* "paper": all but crop; "none": the centre crop of evaluation; else a list of the names above,
 * "crop,mirror". Errors: ARGUMENT, listing the names. NULL stands for "paper". */
deeper_status dp_augment_parse(dp_augment *augment, const char *text, deeper_error *error);

/* The stream that picture `index` of a set is augmented from in an epoch, apart from what else a
 * run draws from (seed, epoch). */
dp_random dp_augment_random(uint64_t seed, uint64_t epoch, uint64_t index);

/* tensor (channels x size x size floats) = the picture, augmented and prepared. In this order:
 *   - area: target = u x W x H, u uniform in [0.08, 1); r = exp(uniform in [ln 3/4, ln 4/3)); a box
 *     of sqrt(target r) x sqrt(target / r), rounded, at a uniform place, if it fits into W x H;
 *     after ten that do not fit the largest box in the centre whose aspect is in the range.
 *   - crop: size x size at a uniform place of the resized picture; without area and crop at its
 *     centre.
 *   - mirror.
 *   - photometric: each in turn blends the 8-bit crop x with a degenerate d, d + f (x - d), f
 *     uniform in [0.5, 1.5), clipped and cut to whole levels: brightness d = 0; contrast d = the
 *     rounded mean luminance of the crop; colour d = the pixel's luminance (Pillow's ImageEnhance).
 *   - lighting: adds 255 P (a * l) to R, G, B, with a normal of deviation 0.1, l the eigenvalues
 *     and P the eigenvectors of ImageNet's colours in 0..1.
 *   - (level - mean) x scale, in the model's channel order.
 * Errors: those of dp_preprocess_run. Scratch is from `allocator`. */
deeper_status dp_augment_run(const dp_augment *augment, const dp_preprocess *preprocess,
                             const dp_image *image, dp_random *random, float *tensor,
                             const deeper_allocator *allocator, deeper_error *error);

/* What to pass as dp_decode_options.min_side to save time where the pixels are random anyway: with
 * area twice the network's input, for the mean patch is 0.73 of a side; with crop twice the resized
 * side, so that the filter still averages over two pixels each way, but 0 (full size) where the
 * rule or the nearest filter picks single pixels. 0 without either: what is cut at the centre has
 * the pixels of evaluation. */
int dp_augment_min_side(const dp_augment *augment, const dp_preprocess *preprocess);

#endif
