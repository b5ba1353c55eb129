/* resize.c - separable resampling with precomputed integer weights, as resize.h defines it. Columns
 * are resampled first, one input row at a time, into a ring of just the rows under the current
 * output row: the scratch is a few rows whatever the picture, and stays in the cache. Levels are
 * filtered as they are stored (no linear light). Words: an axis is one direction; taps are the
 * input pixels that one output pixel is made of. */
#include "image/resize.h"

#include "base/arithmetic.h"

#include <math.h>
#include <string.h>

/* Weights are integers of 1 / 2^22: 255 x 2^22 x 1.25 (the most that cubic weights add up to in
 * magnitude) stays below 2^31. */
enum { PRECISION = 22, HALF = 1 << (PRECISION - 1) };

static double triangle(double x) {
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

static double box_window(double x) {
    return x > -0.5 && x <= 0.5 ? 1 : 0;
}

/* Keys' cubic convolution, a = -1/2. */
static double cubic(double x) {
    const double a = -0.5;
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static const struct {
    const char *name;
    double (*window)(double); /* NULL: picks one pixel */
    double support;           /* the window is zero beyond it */
} filters[] = {
    [DP_FILTER_NEAREST] = { "nearest", NULL, 0 },
    [DP_FILTER_BILINEAR] = { "bilinear", triangle, 1 },
    [DP_FILTER_AREA] = { "area", box_window, 0.5 },
    [DP_FILTER_BICUBIC] = { "bicubic", cubic, 2 },
};

enum { FILTERS = sizeof filters / sizeof *filters };

const char *dp_filter_name(dp_filter filter) {
    return filters[filter].name;
}

bool dp_filter_from_name(dp_filter *filter, const char *name) {
    for (size_t i = 0; i < FILTERS; i++)
        if (strcmp(filters[i].name, name) == 0) {
            *filter = (dp_filter)i;
            return true;
        }
    return false;
}

/* One direction of the job: `size` input pixels, of which [from, to) become `outputs`, of which
 * first .. first + count are wanted. */
typedef struct axis {
    int size, outputs, first, count;
    double from, to;
    int *start;       /* [count]: the first tap */
    int *taps;        /* [count]: how many */
    int max_taps;     /* room for taps of one output */
    int32_t *weights; /* [count x max_taps] */
} axis;

/* Fills the weights of output i (counted from along->first). */
static void weigh(const axis *along, int i, dp_filter filter, double *window) {
    double scale = (along->to - along->from) / along->outputs, stretch = scale > 1 ? scale : 1;
    double support = filters[filter].support * stretch;
    double centre = along->from + (along->first + i + 0.5) * scale;
    int low = (int)(centre - support + 0.5), high = (int)(centre + support + 0.5);
    low = dp_max(low, 0);
    high = dp_min(high, along->size);
    /* Multiplied by the inverse, not divided: where the area filter's edge falls on a pixel's
     * centre, rounding decides as in Pillow. */
    double sum = 0, shrink = 1 / stretch;
    for (int j = low; j < high; j++) {
        window[j - low] = filters[filter].window((j - centre + 0.5) * shrink);
        sum += window[j - low];
    }
    int32_t *weights = along->weights + (size_t)i * (size_t)along->max_taps;
    for (int j = 0; j < high - low; j++)
        weights[j] = (int32_t)lround(window[j] / sum * (1 << PRECISION));
    along->start[i] = low;
    along->taps[i] = high - low;
}

/* The pixels under the output centres. The position is stepped and not multiplied out, so that ties
 * fall as they do in Pillow. */
static void pick(const axis *along) {
    double scale = (along->to - along->from) / along->outputs, at = along->from + scale * 0.5;
    for (int i = -along->first; i < along->count; i++, at += scale)
        if (i >= 0)
            along->start[i] = (int)at < along->size ? (int)at : along->size - 1;
}

static void axis_free(axis *along, const deeper_allocator *allocator) {
    dp_free(allocator, along->start);
    dp_free(allocator, along->taps);
    dp_free(allocator, along->weights);
}

static bool axis_init(axis *along, dp_filter filter, const deeper_allocator *allocator) {
    along->start = dp_alloc(allocator, (size_t)along->count, sizeof *along->start);
    if (!along->start)
        return false;
    if (!filters[filter].window) {
        pick(along);
        return true;
    }
    double scale = (along->to - along->from) / along->outputs;
    along->max_taps = (int)ceil(filters[filter].support * (scale > 1 ? scale : 1)) * 2 + 1;
    along->taps = dp_alloc(allocator, (size_t)along->count, sizeof *along->taps);
    along->weights = dp_alloc_raw(allocator, (size_t)along->count * (size_t)along->max_taps,
                                  sizeof *along->weights);
    double *window = dp_alloc_raw(allocator, (size_t)along->max_taps, sizeof *window);
    bool have = along->taps && along->weights && window;
    for (int i = 0; have && i < along->count; i++)
        weigh(along, i, filter, window);
    dp_free(allocator, window);
    return have;
}

static uint8_t to_level(int32_t sum) {
    int32_t level = sum >> PRECISION;
    return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

static void resample_columns(uint8_t *out, const uint8_t *row, const axis *columns) {
    for (int i = 0; i < columns->count; i++, out += 3) {
        const uint8_t *pixel = row + (size_t)columns->start[i] * 3;
        const int32_t *weights = columns->weights + (size_t)i * (size_t)columns->max_taps;
        int32_t r = HALF, g = HALF, b = HALF;
        for (int j = 0; j < columns->taps[i]; j++, pixel += 3) {
            r += pixel[0] * weights[j];
            g += pixel[1] * weights[j];
            b += pixel[2] * weights[j];
        }
        out[0] = to_level(r);
        out[1] = to_level(g);
        out[2] = to_level(b);
    }
}

/* Output row i from the ring, in which input row j lies at j % rows->max_taps. */
static void resample_row(uint8_t *out, const uint8_t *ring, int32_t *sums, size_t width,
                         const axis *rows, int i) {
    const int32_t *weights = rows->weights + (size_t)i * (size_t)rows->max_taps;
    for (size_t x = 0; x < width; x++)
        sums[x] = HALF;
    for (int j = 0; j < rows->taps[i]; j++) {
        const uint8_t *row = ring + (size_t)((rows->start[i] + j) % rows->max_taps) * width;
        for (size_t x = 0; x < width; x++)
            sums[x] += row[x] * weights[j];
    }
    for (size_t x = 0; x < width; x++)
        out[x] = to_level(sums[x]);
}

static bool filter_picture(dp_image *out, const dp_image *in, const axis *columns, const axis *rows,
                           const deeper_allocator *allocator) {
    size_t width = (size_t)columns->count * 3;
    ptrdiff_t stride = dp_image_stride(in);
    uint8_t *ring = dp_alloc_raw(allocator, (size_t)rows->max_taps, width);
    int32_t *sums = dp_alloc_raw(allocator, width, sizeof *sums);
    bool have = ring && sums;
    for (int i = 0, next = 0; have && i < rows->count; i++) {
        int end = rows->start[i] + rows->taps[i];
        next = next > rows->start[i] ? next : rows->start[i];
        for (; next < end; next++)
            resample_columns(ring + (size_t)(next % rows->max_taps) * width,
                             in->pixels + next * stride, columns);
        resample_row(out->pixels + (size_t)i * width, ring, sums, width, rows, i);
    }
    dp_free(allocator, ring);
    dp_free(allocator, sums);
    return have;
}

static void pick_picture(dp_image *out, const dp_image *in, const axis *columns, const axis *rows) {
    uint8_t *pixel = out->pixels;
    for (int y = 0; y < rows->count; y++) {
        const uint8_t *row = in->pixels + rows->start[y] * dp_image_stride(in);
        for (int x = 0; x < columns->count; x++, pixel += 3)
            memcpy(pixel, row + (size_t)columns->start[x] * 3, 3);
    }
}

static deeper_status check(const dp_image *in, const axis *columns, const axis *rows,
                           dp_filter filter, deeper_error *error) {
    if (!in->pixels || (unsigned)filter >= FILTERS)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "resize: needs a picture and one of the filters");
    if (in->width > DP_RESIZE_MAX_SIDE || in->height > DP_RESIZE_MAX_SIDE)
        return dp_fail(error, DEEPER_ERROR_LIMIT,
                       "resize: a picture of %dx%d has a side above %d pixels", in->width,
                       in->height, DP_RESIZE_MAX_SIDE);
    const axis *both[2] = { columns, rows };
    for (int i = 0; i < 2; i++) {
        const axis *along = both[i];
        if (along->outputs < 1 || along->outputs > DP_RESIZE_MAX_SIDE)
            return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                           "resize: to %dx%d, but a side must be 1 to %d", columns->outputs,
                           rows->outputs, DP_RESIZE_MAX_SIDE);
        if (!(along->from >= 0 && along->from < along->to
              && along->to <= along->size)) /* written so that a NaN fails */
            return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                           "resize: the box %g %g %g %g is empty or leaves the picture of %dx%d",
                           columns->from, rows->from, columns->to, rows->to, in->width, in->height);
        if (along->first < 0 || along->count < 1 || along->count > along->outputs - along->first)
            return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                           "resize: the region %d %d %d %d is empty or leaves the result of %dx%d",
                           columns->first, rows->first, columns->count, rows->count,
                           columns->outputs, rows->outputs);
    }
    return DEEPER_OK;
}

deeper_status dp_image_resize_region(dp_image *out, const dp_image *in, const double box[4],
                                     int width, int height, const int region[4], dp_filter filter,
                                     const deeper_allocator *allocator, deeper_error *error) {
    *out = (dp_image){ 0 };
    axis columns = { .size = in->width,
                     .outputs = width,
                     .first = region[0],
                     .count = region[2],
                     .from = 0,
                     .to = in->width };
    axis rows = { .size = in->height,
                  .outputs = height,
                  .first = region[1],
                  .count = region[3],
                  .from = 0,
                  .to = in->height };
    if (box) {
        columns.from = box[0];
        columns.to = box[2];
        rows.from = box[1];
        rows.to = box[3];
    }
    DP_TRY(check(in, &columns, &rows, filter, error));

    out->allocator = allocator;
    out->pixels = dp_alloc_raw(allocator, (size_t)columns.count * (size_t)rows.count, 3);
    bool have = out->pixels && axis_init(&columns, filter, allocator)
                && axis_init(&rows, filter, allocator);
    if (have && filters[filter].window)
        have = filter_picture(out, in, &columns, &rows, allocator);
    else if (have)
        pick_picture(out, in, &columns, &rows);
    axis_free(&columns, allocator);
    axis_free(&rows, allocator);
    if (!have) {
        dp_image_free(out);
        return dp_fail_memory(error, "resizing a picture");
    }
    out->width = columns.count;
    out->height = rows.count;
    return DEEPER_OK;
}

deeper_status dp_image_resize(dp_image *out, const dp_image *in, const double box[4], int width,
                              int height, dp_filter filter, const deeper_allocator *allocator,
                              deeper_error *error) {
    return dp_image_resize_region(out, in, box, width, height,
                                  (const int[4]){ 0, 0, width, height }, filter, allocator, error);
}
