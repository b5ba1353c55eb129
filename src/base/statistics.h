/* statistics.h - how far a measured share can be trusted, and whether two of them differ.
 * Why here: evaluation, training and their pages state the same figures. */
#ifndef DP_BASE_STATISTICS_H
#define DP_BASE_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

/* Wilson's interval of 95 % for a share, `hits` of `trials`: with z = 1.95996, n trials and p =
 * hits / n
 *     (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n).
 * Without trials 0 to 1. (E. B. Wilson, 1927.) */
void dp_wilson(uint64_t hits, uint64_t trials, double *low, double *high);

/* The p value of McNemar's exact test of two classifiers on the same pictures: how likely it is,
 * were both equally good, that the pictures that only one of them got right are divided as unevenly
 * as `only_first` and `only_second`, or more:
 *     min(1, 2 sum_{k=0}^{min} C(n, k) / 2^n),
 * n = only_first + only_second, min the smaller of them. */
double dp_mcnemar(uint64_t only_first, uint64_t only_second);

/* A difference is called real below this p value. */
#define DP_SIGNIFICANCE 0.05

/* Sorts the values, none of them NaN, from the least, and returns the middle one, or the mean of
 * the middle two. count: from 1. */
double dp_median(double *values, size_t count);

enum { DP_CALIBRATION_BINS = 10 };

/* Answers by how sure they were: bin b holds probabilities of the first class from b / 10 to (b +
 * 1) / 10. Zero to begin with. */
typedef struct dp_calibration {
    uint64_t images[DP_CALIBRATION_BINS], right[DP_CALIBRATION_BINS];
    double confidence[DP_CALIBRATION_BINS]; /* sum of the probabilities */
} dp_calibration;

void dp_calibration_add(dp_calibration *calibration, double probability, int right);

/* The expected calibration error: sum over bins of (images of the bin / all) |share right - mean
 * probability|. 0 without images. (Guo et al., 2017.) */
double dp_calibration_error(const dp_calibration *calibration);

#endif
