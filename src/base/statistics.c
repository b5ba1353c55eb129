/* statistics.c - see statistics.h. */
#include "base/statistics.h"

#include <math.h>
#include <stdlib.h>

static const double Z = 1.959963984540054; /* of the normal distribution, 95 % lie within -Z..Z */

void dp_wilson(uint64_t hits, uint64_t trials, double *low, double *high) {
    *low = 0;
    *high = 1;
    if (trials == 0)
        return;
    double n = (double)trials, p = (double)hits / n, whole = 1 + Z * Z / n;
    double centre = (p + Z * Z / (2 * n)) / whole,
           room = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / whole;
    *low =
        hits == 0 ? 0 : centre - room; /* exact at the ends, where rounding would leave a crumb */
    *high = hits == trials ? 1 : centre + room;
}

double dp_mcnemar(uint64_t only_first, uint64_t only_second) {
    uint64_t fewer = only_first < only_second ? only_first : only_second,
             n = only_first + only_second;
    if (only_first == only_second)
        return 1;
    /* The largest term in logarithms, for 2^-n may be no number; the others by their ratio to it,
     * until they no longer count. */
    double largest = -(double)n * log(2);
    for (uint64_t k = 0; k < fewer; k++)
        largest += log((double)(n - k) / (double)(k + 1));
    double sum = 1, term = 1;
    for (uint64_t k = fewer; k > 0 && term > 1e-17 * sum; k--) {
        term *= (double)k / (double)(n - k + 1);
        sum += term;
    }
    return fmin(1, 2 * sum * exp(largest));
}

void dp_calibration_add(dp_calibration *calibration, double probability, int right) {
    double place = probability * DP_CALIBRATION_BINS;
    int bin = place >= DP_CALIBRATION_BINS ? DP_CALIBRATION_BINS - 1 : place > 0 ? (int)place : 0;
    calibration->images[bin]++;
    calibration->right[bin] += right != 0;
    calibration->confidence[bin] += probability;
}

double dp_calibration_error(const dp_calibration *calibration) {
    double sum = 0, all = 0;
    for (int bin = 0; bin < DP_CALIBRATION_BINS; bin++) {
        sum += fabs((double)calibration->right[bin] - calibration->confidence[bin]);
        all += (double)calibration->images[bin];
    }
    return all > 0 ? sum / all : 0;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double dp_median(double *values, size_t count) {
    qsort(values, count, sizeof *values, compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}
