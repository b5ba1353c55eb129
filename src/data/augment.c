/* augment.c - a random patch straight from the picture, then 8-bit colour changes on the patch
 * alone. */
#include "data/augment.h"

#include "image/crops.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const float min_area = 0.08f, min_aspect = 0.75f, max_aspect = 4.0f / 3.0f;
static const float min_factor = 0.5f, max_factor = 1.5f;
enum { TRIES = 10 };

/* Of the covariance of ImageNet's pixels in 0..1; rows R, G, B, a column an eigenvector
 * (fb.resnet.torch has published them). */
static const float eigenvalues[3] = { 0.2175f, 0.0188f, 0.0045f };
static const float eigenvectors[3][3] = {
    { -0.5675f, 0.7192f, 0.4009f },
    { -0.5808f, -0.0045f, -0.8140f },
    { -0.5836f, -0.6948f, 0.4203f },
};
static const float lighting_deviation = 0.1f;

static const struct {
    const char *name;
    size_t offset;
    bool in_paper;
} parts[] = {
    { "area", offsetof(dp_augment, area), true },
    { "crop", offsetof(dp_augment, crop), false },
    { "mirror", offsetof(dp_augment, mirror), true },
    { "photometric", offsetof(dp_augment, photometric), true },
    { "lighting", offsetof(dp_augment, lighting), true },
    { "interpolation", offsetof(dp_augment, interpolation), true },
};
enum { PARTS = sizeof parts / sizeof *parts };

static void switch_on(dp_augment *augment, size_t part) {
    *(bool *)((char *)augment + parts[part].offset) = true;
}

deeper_status dp_augment_parse(dp_augment *augment, const char *text, deeper_error *error) {
    *augment = (dp_augment){ 0 };
    bool paper = !text || strcmp(text, "paper") == 0;
    for (size_t i = 0; i < PARTS; i++)
        if (paper && parts[i].in_paper)
            switch_on(augment, i);
    if (paper || strcmp(text, "none") == 0)
        return DEEPER_OK;
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ","), i = 0;
        while (i < PARTS
               && (strlen(parts[i].name) != length || memcmp(parts[i].name, at, length) != 0))
            i++;
        if (i == PARTS)
            return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                           "augment: \"%.*s\" is not known; \"paper\", \"none\" or a list out of "
                           "area,crop,mirror,photometric,lighting,interpolation is",
                           (int)(length < 64 ? length : 64), at);
        switch_on(augment, i);
        at += length;
        if (!*at)
            break;
    }
    if (augment->area && augment->crop)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "augment: \"%.64s\": area and crop both choose the patch; take one of them",
                       text);
    return DEEPER_OK;
}

dp_random dp_augment_random(uint64_t seed, uint64_t epoch, uint64_t index) {
    return dp_random_at(seed, epoch, ((uint64_t)1 << 32) + index);
}

static float between(dp_random *random, float low, float high) {
    return low + (high - low) * dp_random_unit(random);
}

/* ---------------------------------------------------------------------------------------- patch */

/* box = x0, y0, x1, y1 of a patch. */
static void choose_area(double box[4], const dp_image *image, dp_random *random) {
    int width = image->width, height = image->height;
    double whole = (double)width * (double)height;
    int w = 0, h = 0, x = 0, y = 0;
    bool fits = false;
    for (int i = 0; i < TRIES && !fits; i++) {
        double target = whole * (double)between(random, min_area, 1);
        double aspect = exp((double)between(random, logf(min_aspect), logf(max_aspect)));
        w = (int)lround(fmin(sqrt(target * aspect), (double)width + 1));
        h = (int)lround(fmin(sqrt(target / aspect), (double)height + 1));
        fits = w >= 1 && h >= 1 && w <= width && h <= height;
    }
    if (fits) {
        x = (int)dp_random_below(random, (uint32_t)(width - w + 1));
        y = (int)dp_random_below(random, (uint32_t)(height - h + 1));
    } else {
        double wide = (double)height * (double)max_aspect,
               tall = (double)width / (double)min_aspect;
        w = wide < width ? (int)fmax(wide, 1) : width;
        h = tall < height ? (int)fmax(tall, 1) : height;
        x = (width - w) / 2;
        y = (height - h) / 2;
    }
    box[0] = x;
    box[1] = y;
    box[2] = x + w;
    box[3] = y + h;
}

static deeper_status cut(dp_image *patch, const dp_augment *augment,
                         const dp_preprocess *preprocess, const dp_image *image, dp_random *random,
                         const deeper_allocator *allocator, deeper_error *error) {
    int size = preprocess->size, width = size, height = size;
    dp_filter filter = preprocess->filter;
    if (augment->interpolation)
        filter = (dp_filter)dp_random_below(random, DP_FILTER_BICUBIC + 1);
    if (augment->area) {
        double box[4];
        choose_area(box, image, random);
        return dp_image_resize(patch, image, box, size, size, filter, allocator, error);
    }
    if (augment->crop || image->width != size || image->height != size)
        DP_TRY(
            dp_preprocess_resized(preprocess, image->width, image->height, &width, &height, error));
    int region[4] = { dp_crop_centre(width, size), dp_crop_centre(height, size), size, size };
    if (augment->crop) {
        region[0] = (int)dp_random_below(random, (uint32_t)(width - size + 1));
        region[1] = (int)dp_random_below(random, (uint32_t)(height - size + 1));
    }
    return dp_image_resize_region(patch, image, NULL, width, height, region, filter, allocator,
                                  error);
}

static void mirror(dp_image *image) {
    for (int y = 0; y < image->height; y++) {
        uint8_t *left = image->pixels + (size_t)y * (size_t)image->width * 3,
                *right = left + ((size_t)image->width - 1) * 3;
        for (; left < right; left += 3, right -= 3)
            for (int c = 0; c < 3; c++) {
                uint8_t kept = left[c];
                left[c] = right[c];
                right[c] = kept;
            }
    }
}

/* --------------------------------------------------------------------------------------- colour */

/* d + f (x - d) in float, clipped and cut, as Pillow's blend has it. */
static uint8_t blend(int degenerate, int level, float factor) {
    float mixed = (float)degenerate + factor * (float)(level - degenerate);
    return (uint8_t)(mixed <= 0 ? 0 : mixed >= 255 ? 255 : mixed);
}

/* Blends every level with the same one. */
static void blend_levels(uint8_t *pixels, size_t count, int degenerate, float factor) {
    uint8_t values[256];
    for (int level = 0; level < 256; level++)
        values[level] = blend(degenerate, level, factor);
    for (size_t i = 0; i < 3 * count; i++)
        pixels[i] = values[pixels[i]];
}

static void brightness(uint8_t *pixels, size_t count, float factor) {
    blend_levels(pixels, count, 0, factor);
}

static void contrast(uint8_t *pixels, size_t count, float factor) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (uint64_t)dp_luminance(pixels + 3 * i);
    blend_levels(pixels, count, (int)((double)sum / (double)count + 0.5), factor);
}

static void colour(uint8_t *pixels, size_t count, float factor) {
    for (size_t i = 0; i < count; i++, pixels += 3) {
        int grey = dp_luminance(pixels);
        for (int c = 0; c < 3; c++)
            pixels[c] = blend(grey, pixels[c], factor);
    }
}

static void distort(dp_image *image, dp_random *random) {
    void (*steps[])(uint8_t * pixels, size_t count, float factor) = { brightness, contrast,
                                                                      colour };
    size_t count = (size_t)image->width * (size_t)image->height;
    for (uint32_t left = 3; left > 0; left--) {
        uint32_t i = dp_random_below(random, left);
        steps[i](image->pixels, count, between(random, min_factor, max_factor));
        steps[i] = steps[left - 1];
    }
}

static void light(float shift[3], dp_random *random) {
    float along[3];
    for (int i = 0; i < 3; i++)
        along[i] = 255 * lighting_deviation * dp_random_normal(random) * eigenvalues[i];
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 3; i++)
            shift[c] += eigenvectors[c][i] * along[i];
}

deeper_status dp_augment_run(const dp_augment *augment, const dp_preprocess *preprocess,
                             const dp_image *image, dp_random *random, float *tensor,
                             const deeper_allocator *allocator, deeper_error *error) {
    dp_image patch;
    float shift[3] = { 0 };
    DP_TRY(dp_preprocess_check(preprocess, error));
    DP_TRY(cut(&patch, augment, preprocess, image, random, allocator, error));
    if (augment->mirror && dp_random_below(random, 2) == 1)
        mirror(&patch);
    if (augment->photometric)
        distort(&patch, random);
    if (augment->lighting)
        light(shift, random);
    dp_preprocess_tensor(preprocess, &patch, shift, tensor);
    dp_image_free(&patch);
    return DEEPER_OK;
}

int dp_augment_min_side(const dp_augment *augment, const dp_preprocess *preprocess) {
    if (augment->area)
        return 2 * preprocess->size;
    bool resized = preprocess->rule != DP_RESIZE_NONE && preprocess->filter != DP_FILTER_NEAREST;
    return augment->crop && resized ? 2 * preprocess->side : 0;
}
