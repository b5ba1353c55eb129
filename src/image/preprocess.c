/* preprocess.c - picture to tensor: resize rule, channel order, mean and scale, as preprocess.h
 * defines them. Which squares are cut out of the resized picture is the matter of crops.c. */
#include "image/preprocess.h"

#include "base/number.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_SIDE = 1 << 14 };

static const char *const rule_names[] = {
    [DP_RESIZE_SHORT] = "short", [DP_RESIZE_SQUASH] = "squash", [DP_RESIZE_NONE] = "none"
};
enum { RULES = sizeof rule_names / sizeof *rule_names };

const char *dp_resize_rule_name(dp_resize_rule rule) {
    return rule_names[rule];
}

bool dp_resize_rule_from_name(dp_resize_rule *rule, const char *name) {
    for (size_t i = 0; i < RULES; i++)
        if (strcmp(rule_names[i], name) == 0) {
            *rule = (dp_resize_rule)i;
            return true;
        }
    return false;
}

deeper_status dp_preprocess_check(const dp_preprocess *preprocess, deeper_error *error) {
    if (preprocess->size < 1 || preprocess->size > MAX_SIDE)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "preprocessing: size is %d, must be 1 to %d",
                       preprocess->size, MAX_SIDE);
    if (preprocess->channels != 1 && preprocess->channels != 3)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "preprocessing: channels is %d, must be 1 or 3", preprocess->channels);
    if ((unsigned)preprocess->rule >= RULES)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "preprocessing: resize rule %d is unknown",
                       (int)preprocess->rule);
    if ((unsigned)preprocess->filter > DP_FILTER_BICUBIC)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "preprocessing: filter %d is unknown",
                       (int)preprocess->filter);
    if (preprocess->rule != DP_RESIZE_NONE
        && (preprocess->side < preprocess->size || preprocess->side > MAX_SIDE))
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "preprocessing: side is %d, must be %d (size) to %d", preprocess->side,
                       preprocess->size, MAX_SIDE);
    for (int c = 0; c < preprocess->channels; c++)
        if (!isfinite(preprocess->mean[c]) || !isfinite(preprocess->scale[c])
            || preprocess->scale[c] == 0)
            return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                           "preprocessing: mean %g or scale %g of channel %d is not usable",
                           (double)preprocess->mean[c], (double)preprocess->scale[c], c);
    return DEEPER_OK;
}

size_t dp_preprocess_floats(const dp_preprocess *preprocess) {
    return (size_t)preprocess->channels * (size_t)preprocess->size * (size_t)preprocess->size;
}

deeper_status dp_preprocess_resized(const dp_preprocess *preprocess, int image_width,
                                    int image_height, int *width, int *height,
                                    deeper_error *error) {
    int64_t w = image_width, h = image_height, shorter = w < h ? w : h;
    int64_t side = preprocess->rule == DP_RESIZE_NONE ? preprocess->size : preprocess->side;
    if (preprocess->rule == DP_RESIZE_SQUASH) {
        w = h = side;
    } else if (preprocess->rule == DP_RESIZE_SHORT || shorter < side) {
        w = side * w / shorter;
        h = side * h / shorter;
    }
    if (w > DP_RESIZE_MAX_SIDE || h > DP_RESIZE_MAX_SIDE)
        return dp_fail(error, DEEPER_ERROR_LIMIT,
                       "a picture of %dx%d is too elongated to resize its short side to %d",
                       image_width, image_height, (int)side);
    *width = (int)w;
    *height = (int)h;
    return DEEPER_OK;
}

/* 299, 587 and 114 thousandths in 16 fractional bits; they add up to 65536. */
enum { LUMA_R = 19595, LUMA_G = 38470, LUMA_B = 7471, LUMA_HALF = 32768, LUMA_BITS = 16 };

int dp_luminance(const uint8_t rgb[3]) {
    return (LUMA_R * rgb[0] + LUMA_G * rgb[1] + LUMA_B * rgb[2] + LUMA_HALF) >> LUMA_BITS;
}

/* One table of 256 floats a channel. */
void dp_preprocess_tensor(const dp_preprocess *preprocess, const dp_image *image,
                          const float shift[3], float *tensor) {
    static const float none[3];
    const float *add = shift ? shift : none;
    float grey = (LUMA_R * add[0] + LUMA_G * add[1] + LUMA_B * add[2]) / (1 << LUMA_BITS);
    size_t plane = (size_t)image->width * (size_t)image->height;
    for (int c = 0; c < preprocess->channels; c++, tensor += plane) {
        float values[256];
        const uint8_t *pixel = image->pixels;
        int channel = preprocess->bgr ? 2 - c : c;
        float offset = preprocess->channels == 3 ? add[channel] : grey;
        for (int level = 0; level < 256; level++)
            values[level] = ((float)level + offset - preprocess->mean[c]) * preprocess->scale[c];
        if (preprocess->channels == 3)
            for (size_t i = 0; i < plane; i++, pixel += 3)
                tensor[i] = values[pixel[channel]];
        else
            for (size_t i = 0; i < plane; i++, pixel += 3)
                tensor[i] = values[dp_luminance(pixel)];
    }
}

deeper_status dp_preprocess_picture(dp_image *image, const dp_preprocess *preprocess,
                                    const float *tensor, const deeper_allocator *allocator,
                                    deeper_error *error) {
    size_t side = (size_t)preprocess->size, plane = side * side;
    *image =
        (dp_image){ .width = preprocess->size, .height = preprocess->size, .allocator = allocator };
    image->pixels = dp_alloc_raw(allocator, plane, 3);
    if (!image->pixels) {
        *image = (dp_image){ 0 };
        return dp_fail_memory(error, "a picture of what the network sees");
    }
    for (int channel = 0; channel < 3; channel++) {
        int c = preprocess->channels == 1 ? 0 : preprocess->bgr ? 2 - channel : channel;
        for (size_t i = 0; i < plane; i++) {
            float level =
                tensor[(size_t)c * plane + i] / preprocess->scale[c] + preprocess->mean[c] + 0.5f;
            image->pixels[3 * i + (size_t)channel] =
                (uint8_t)(level > 0 ? level < 255 ? level : 255 : 0);
        }
    }
    return DEEPER_OK;
}

/* A growing line in a buffer of fixed size; what does not fit is dropped. */
typedef struct line {
    char *text;
    size_t size, used;
} line;

static void add(line *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(line *out, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(out->text + out->used, out->size - out->used, format, arguments);
    va_end(arguments);
    size_t room = out->size - out->used - 1;
    out->used += length < 0 ? 0 : (size_t)length < room ? (size_t)length : room;
}

/* ", word a b c", or one number where all channels have the same; nothing where all are
 * `neutral`. */
static void add_numbers(line *out, const char *word, const double *numbers, int count,
                        double neutral) {
    bool same = true;
    for (int c = 1; c < count; c++)
        same = same && numbers[c] == numbers[0];
    if (same && numbers[0] == neutral)
        return;
    add(out, ", %s", word);
    for (int c = 0; c < (same ? 1 : count); c++)
        add(out, " %.6g", numbers[c]);
}

void dp_preprocess_describe(const dp_preprocess *preprocess, char *text, size_t size) {
    if (size == 0)
        return;
    line out = { text, size, 0 };
    text[0] = '\0';
    const char *filter = dp_filter_name(preprocess->filter);
    if (preprocess->rule == DP_RESIZE_SQUASH)
        add(&out, "resize %dx%d (%s, aspect ignored)", preprocess->side, preprocess->side, filter);
    else if (preprocess->rule == DP_RESIZE_SHORT)
        add(&out, "resize short side to %d (%s)", preprocess->side, filter);
    else
        add(&out, "no resize (%s, only up to a short side of %d)", filter, preprocess->size);
    add(&out, ", centre crop %d, %s", preprocess->size,
        preprocess->channels == 1 ? "grey"
        : preprocess->bgr         ? "BGR"
                                  : "RGB");

    double mean[3], divisor[3];
    for (int c = 0; c < 3; c++) {
        mean[c] = (double)preprocess->mean[c];
        divisor[c] = 1 / (double)preprocess->scale[c];
    }
    dp_c_locale locale = dp_c_locale_enter();
    add_numbers(&out, "minus", mean, preprocess->channels, 0);
    add_numbers(&out, "divided by", divisor, preprocess->channels, 1);
    dp_c_locale_leave(locale);
}
