/* test_augment.c - what augmentation draws and what it does to levels: distributions over many
 * draws, exact small cases, the same numbers from the same seed. Pictures are made by formula so
 * that a tensor tells where its pixels came from. */
#include "data/augment.h"
#include "helpers/helpers.h"
#include "image/crops.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DRAWS = 20000 };

static const dp_preprocess plain = { .size = 8,
                                     .channels = 3,
                                     .scale = { 1, 1, 1 },
                                     .rule = DP_RESIZE_SHORT,
                                     .side = 10,
                                     .filter = DP_FILTER_NEAREST };

/* R is the column, G the row, B their sum mod 256. Freed by free(pixels). */
static dp_image ramps(int width, int height) {
    dp_image image = { .width = width,
                       .height = height,
                       .pixels = malloc((size_t)width * (size_t)height * 3) };
    assert_non_null(image.pixels);
    for (int y = 0, i = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            image.pixels[i++] = (uint8_t)x;
            image.pixels[i++] = (uint8_t)y;
            image.pixels[i++] = (uint8_t)(x + y);
        }
    return image;
}

static void run(const dp_augment *augment, const dp_preprocess *preprocess, const dp_image *image,
                uint64_t seed, float *tensor) {
    dp_random random = dp_random_at(seed, 0, 0);
    deeper_error error = { 0 };
    if (dp_augment_run(augment, preprocess, image, &random, tensor, NULL, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
}

/* ---------------------------------------------------------------------------------------- names */

static void test_names(void **state) {
    dp_augment augment;
    const dp_augment paper = {
        .area = true, .mirror = true, .photometric = true, .lighting = true, .interpolation = true
    };
    const dp_augment none = { 0 }, two = { .crop = true, .mirror = true };
    assert_int_equal(dp_augment_parse(&augment, NULL, NULL), DEEPER_OK);
    assert_memory_equal(&augment, &paper, sizeof paper);
    assert_int_equal(dp_augment_parse(&augment, "paper", NULL), DEEPER_OK);
    assert_memory_equal(&augment, &paper, sizeof paper);
    assert_int_equal(dp_augment_parse(&augment, "none", NULL), DEEPER_OK);
    assert_memory_equal(&augment, &none, sizeof none);
    assert_int_equal(dp_augment_parse(&augment, "mirror,crop", NULL), DEEPER_OK);
    assert_memory_equal(&augment, &two, sizeof two);
    assert_int_equal(
        dp_augment_parse(&augment, "interpolation,lighting,photometric,mirror,area", NULL),
        DEEPER_OK);
    assert_memory_equal(&augment, &paper, sizeof paper);
    static const char *const wrong[] = { "",           ",",         "area,",
                                         "Area",       "areas",     "mirror,,area",
                                         "paper,area", "area,crop", "mirror area" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        deeper_error error = { 0 };
        assert_int_equal(dp_augment_parse(&augment, wrong[i], &error), DEEPER_ERROR_ARGUMENT);
        assert_int_equal(strncmp(error.message, "augment: \"", 10), 0);
    }
}

static void test_min_side(void **state) {
    const dp_augment area = { .area = true }, crop = { .crop = true }, mirror = { .mirror = true };
    dp_preprocess preprocess = plain;
    assert_int_equal(dp_augment_min_side(&area, &preprocess), 16);
    assert_int_equal(dp_augment_min_side(&crop, &preprocess), 0); /* nearest picks single pixels */
    preprocess.filter = DP_FILTER_BILINEAR;
    assert_int_equal(dp_augment_min_side(&crop, &preprocess), 20);
    assert_int_equal(dp_augment_min_side(&mirror, &preprocess), 0); /* evaluation's pixels */
    preprocess.rule = DP_RESIZE_NONE;
    assert_int_equal(dp_augment_min_side(&crop, &preprocess), 0);
}

/* --------------------------------------------------------------------------------------- places */

static void test_none_is_the_crop_of_evaluation(void **state) {
    dp_augment none = { 0 };
    float got[3 * 64], wanted[3 * 64];
    static const int sizes[][2] = { { 30, 20 }, { 20, 33 }, { 8, 8 }, { 3, 5 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        dp_image image = ramps(sizes[i][0], sizes[i][1]);
        assert_int_equal(dp_preprocess_run(&plain, &image, 1, wanted, NULL, NULL), DEEPER_OK);
        run(&none, &plain, &image, i, got);
        assert_memory_equal(got, wanted, sizeof wanted);
        free(image.pixels);
    }
}

/* Each of the (w - size + 1) x (h - size + 1) places equally often. With `draws` draws over k
 * places a count has mean draws / k = m and deviation below sqrt(m); 5 deviations are passed once
 * in a million. */
static void test_crops_are_uniform(void **state) {
    const dp_augment augment = { .crop = true };
    dp_preprocess preprocess = plain;
    preprocess.rule = DP_RESIZE_NONE;
    dp_image image = ramps(12, 10); /* 5 x 3 places */
    int counts[3][5] = { { 0 } };
    float tensor[3 * 64];
    for (uint64_t i = 0; i < DRAWS; i++) {
        run(&augment, &preprocess, &image, i, tensor);
        int x = (int)tensor[0], y = (int)tensor[64];
        assert_in_range(x, 0, 4);
        assert_in_range(y, 0, 2);
        assert_true(tensor[63] == (float)(x + 7)); /* a piece in one */
        counts[y][x]++;
    }
    double mean = DRAWS / 15.0;
    for (int y = 0; y < 3; y++)
        for (int x = 0; x < 5; x++)
            assert_true(fabs(counts[y][x] - mean) < 5 * sqrt(mean));
    free(image.pixels);
}

static void test_mirror_is_a_coin(void **state) {
    const dp_augment augment = { .mirror = true };
    dp_image image = ramps(8, 8);
    float tensor[3 * 64];
    int mirrored = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        run(&augment, &plain, &image, i, tensor);
        bool turned = tensor[0] == 7;
        for (int y = 0; y < 8; y++)
            for (int x = 0; x < 8; x++) {
                assert_true(tensor[8 * y + x] == (float)(turned ? 7 - x : x));
                assert_true(tensor[64 + 8 * y + x] == (float)y);
            }
        mirrored += turned;
    }
    assert_true(fabs(mirrored - DRAWS / 2.0) < 5 * sqrt(DRAWS / 4.0));
    free(image.pixels);
}

/* The box of the patch, from 64 x 64 samples of ramps, each of which tells where it was taken. */
static void patch(const dp_image *image, uint64_t seed, double *width, double *height, double *x,
                  double *y) {
    static const dp_augment augment = { .area = true };
    dp_preprocess preprocess = {
        .size = 64, .channels = 3, .scale = { 1, 1, 1 }, .side = 64, .filter = DP_FILTER_NEAREST
    };
    static float tensor[3 * 64 * 64];
    run(&augment, &preprocess, image, seed, tensor);
    const float *row = tensor, *column = tensor + 64 * 64;
    /* Sample i lies at floor(x0 + (i + 1/2) w / 64): first and last are w 63 / 64 apart, to within
     * a pixel. */
    *width = (double)(row[63] - row[0]) * 64 / 63;
    *height = (double)(column[63 * 64] - column[0]) * 64 / 63;
    *x = ((double)row[0] + (double)row[63] + 1) / 2;
    *y = ((double)column[0] + (double)column[63 * 64] + 1) / 2;
}

/* On a square picture nearly every try fits unless its area is close to the whole: below 3/4 of it
 * all do (the longer side is sqrt(area 4/3)), and there area is uniform and the logarithm of the
 * aspect too. */
static void test_areas_and_aspects(void **state) {
    dp_image image = ramps(256, 256);
    int small = 0, tenths[7] = { 0 }, slopes[4] = { 0 };
    double mean_x = 0, mean_y = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        double w, h, x, y;
        patch(&image, i, &w, &h, &x, &y);
        double area = w * h / 65536, aspect = log(w / h) / log(4.0 / 3);
        assert_true(area > 0.08 - 0.015 && area < 1.02);
        assert_true(fabs(aspect) < 1 + 0.08); /* a pixel of 72, the smallest side, is 1.4 %, two of
                                                 them a tenth of ln 4/3 */
        mean_x += x / DRAWS;
        mean_y += y / DRAWS;
        if (area < 0.1 || area >= 0.74)
            continue;
        small++;
        tenths[(int)(area * 10) - 1 < 6 ? (int)(area * 10) - 1 : 6] += area < 0.7;
        int slope = (int)((aspect + 1) * 2);
        slopes[slope < 0 ? 0 : slope > 3 ? 3 : slope]++;
    }
    /* Uniform in [0.08, 1): a tenth has 1 / 9.2 of the draws that fit at once; tries that do not
     * fit are drawn again, which raises all alike. Compared among themselves: 5 deviations of a
     * difference, and 1 % for the pixel that a side may be off. */
    for (int i = 1; i < 6; i++)
        assert_true(abs(tenths[i] - tenths[0]) < 5 * sqrt(2.0 * tenths[0]) + 0.03 * tenths[0]);
    assert_true(tenths[0] > DRAWS / 9.2 * 0.95);
    for (int i = 0; i < 4; i++)
        assert_true(fabs(slopes[i] - small / 4.0) < 5 * sqrt(small / 4.0) + 0.04 * small);
    assert_true(fabs(mean_x - 128) < 1
                && fabs(mean_y - 128) < 1); /* deviation of one below 54, of the mean 0.4 */
    free(image.pixels);
}

/* No patch of aspect 3/4 to 4/3 and 8 % of the area fits into 10:1; what is taken is the
 * square-like centre. */
static void test_centre_where_nothing_fits(void **state) {
    dp_image image = ramps(200, 10);
    for (uint64_t i = 0; i < 20; i++) {
        double w, h, x, y;
        patch(&image, i, &w, &h, &x, &y);
        assert_true(fabs(w - 13) <= 1.1
                    && fabs(h - 10) <= 1.1); /* 10 x 4/3, down to whole pixels */
        assert_true(fabs(x - 100) <= 1 && fabs(y - 5) <= 1);
    }
    free(image.pixels);
    image = ramps(1, 1);
    float tensor[3 * 64];
    const dp_augment augment = { .area = true, .mirror = true, .interpolation = true };
    for (uint64_t i = 0; i < 20; i++) {
        run(&augment, &plain, &image, i, tensor);
        for (int j = 0; j < 3 * 64; j++)
            assert_true(tensor[j] == 0);
    }
    free(image.pixels);
}

/* -------------------------------------------------------------------------------------- colours */

static const dp_preprocess pixel = {
    .size = 1, .channels = 3, .scale = { 1, 1, 1 }, .rule = DP_RESIZE_NONE
};

/* Grey pictures of one pixel: contrast (about the mean, the pixel itself) and colour leave them,
 * brightness is all that is seen. */
static void test_brightness_factors(void **state) {
    const dp_augment augment = { .photometric = true };
    uint8_t grey[3] = { 100, 100, 100 };
    dp_image image = { .width = 1, .height = 1, .pixels = grey };
    double sum = 0, squares = 0;
    float tensor[3];
    for (uint64_t i = 0; i < DRAWS; i++) {
        run(&augment, &pixel, &image, i, tensor);
        assert_true(tensor[0] == tensor[1] && tensor[1] == tensor[2]
                    && tensor[0] == floorf(tensor[0]));
        assert_true(tensor[0] >= 50 && tensor[0] < 150);
        sum += (double)tensor[0];
        squares += (double)tensor[0] * (double)tensor[0];
    }
    /* floor(100 f), f uniform in [0.5, 1.5): mean 99.5, deviation 100 / sqrt(12) = 28.87; the
     * mean's is 0.204, five of them 1.02. */
    double mean = sum / DRAWS, deviation = sqrt(squares / DRAWS - mean * mean);
    assert_true(fabs(mean - 99.5) < 1.02);
    assert_true(fabs(deviation - 28.87) < 0.7);
}

/* The formula of the header, in the order and with the factors that the stream gives. */
static void blend_all(uint8_t *pixels, int count, int which, float factor) {
    int sum = 0;
    for (int i = 0; i < count; i++)
        sum += dp_luminance(pixels + 3 * i);
    int mean = (int)(sum / (double)count + 0.5);
    for (int i = 0; i < count; i++) {
        int grey = dp_luminance(pixels + 3 * i);
        for (int c = 0; c < 3; c++) {
            int d = which == 0 ? 0 : which == 1 ? mean : grey, x = pixels[3 * i + c];
            float mixed = (float)d + factor * (float)(x - d);
            pixels[3 * i + c] = (uint8_t)(mixed < 0 ? 0 : mixed > 255 ? 255 : mixed);
        }
    }
}

/* Four pixels after all three steps: among the outcomes over the six orders with the factors drawn
 * there is the one seen, and over many draws every order is seen. */
static void test_photometric_steps(void **state) {
    static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    static const uint8_t start[12] = { 200, 30, 90, 10, 250, 60, 255, 255, 0, 77, 140, 203 };
    const dp_augment augment = { .photometric = true };
    dp_preprocess two = pixel;
    two.size = 2;
    uint8_t pixels[12];
    memcpy(pixels, start, sizeof start);
    dp_image image = { .width = 2, .height = 2, .pixels = pixels };
    int seen[6] = { 0 };
    for (uint64_t seed = 0; seed < 600; seed++) {
        float tensor[12];
        run(&augment, &two, &image, seed, tensor);
        dp_random random = dp_random_at(seed, 0, 0);
        float factors[3];
        for (int i = 0; i < 3; i++) {
            dp_random_below(&random, 3 - (uint32_t)i); /* which step; then its factor */
            factors[i] = 0.5f + dp_random_unit(&random);
        }
        int matches = 0;
        for (int order = 0; order < 6; order++) {
            uint8_t wanted[12];
            bool same = true;
            memcpy(wanted, start, sizeof start);
            for (int i = 0; i < 3; i++)
                blend_all(wanted, 4, orders[order][i], factors[i]);
            for (int i = 0; i < 4; i++)
                for (int c = 0; c < 3; c++)
                    same = same && tensor[4 * c + i] == (float)wanted[3 * i + c];
            matches += same;
            seen[order] += same;
        }
        assert_true(matches >= 1);
    }
    for (int i = 0; i < 6; i++)
        assert_in_range(seen[i], 100 - 50, 100 + 50); /* mean 100, deviation 9.1 */
    assert_memory_equal(pixels, start, sizeof start); /* the picture is left as it was */
}

/* Shifts of R, G, B over many draws: mean 0, and the covariance 255^2 0.1^2 P diag(l^2) P'. */
static void test_lighting(void **state) {
    static const double l[3] = { 0.2175, 0.0188, 0.0045 };
    static const double p[3][3] = { { -0.5675, 0.7192, 0.4009 },
                                    { -0.5808, -0.0045, -0.8140 },
                                    { -0.5836, -0.6948, 0.4203 } };
    const dp_augment augment = { .lighting = true };
    uint8_t grey[3] = { 128, 128, 128 };
    dp_image image = { .width = 1, .height = 1, .pixels = grey };
    dp_preprocess preprocess = pixel;
    preprocess.bgr = true;
    double mean[3] = { 0 }, covariance[3][3] = { { 0 } };
    for (uint64_t i = 0; i < DRAWS; i++) {
        float tensor[3];
        run(&augment, &preprocess, &image, i, tensor);
        for (int a = 0; a < 3; a++) {
            double shift = (double)tensor[2 - a] - 128; /* B, G, R */
            mean[a] += shift / DRAWS;
            for (int b = 0; b < 3; b++)
                covariance[a][b] += shift * ((double)tensor[2 - b] - 128) / DRAWS;
        }
    }
    for (int a = 0; a < 3; a++) {
        assert_true(fabs(mean[a]) < 0.12); /* deviation 3.2, of the mean 0.023 */
        for (int b = 0; b < 3; b++) {
            double wanted = 0;
            for (int k = 0; k < 3; k++)
                wanted += p[a][k] * p[b][k] * l[k] * l[k] * 25.5 * 25.5;
            assert_true(fabs(covariance[a][b] - wanted)
                        < 0.05 * 10.4); /* of a variance 10.4 the deviation is 1 % */
        }
    }
}

/* A grey network sees the luminance of the shift. */
static void test_lighting_of_one_channel(void **state) {
    const dp_augment augment = { .lighting = true };
    uint8_t grey[3] = { 50, 50, 50 };
    dp_image image = { .width = 1, .height = 1, .pixels = grey };
    dp_preprocess one = pixel;
    one.channels = 1;
    for (uint64_t seed = 0; seed < 50; seed++) {
        float rgb[3], luminance;
        run(&augment, &pixel, &image, seed, rgb);
        run(&augment, &one, &image, seed, &luminance);
        assert_true(fabsf(luminance - (0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2]))
                    < 1e-3f);
    }
}

/* All four filters, equally often: on a picture of noise each gives another tensor. */
static void test_filters(void **state) {
    const dp_augment augment = { .interpolation = true };
    dp_preprocess preprocess = plain;
    dp_image image = ramps(23, 31);
    dp_random noise = dp_random_at(5, 0, 0);
    float wanted[4][3 * 64], got[3 * 64];
    int counts[4] = { 0 };
    for (size_t i = 0; i < 23 * 31 * 3; i++)
        image.pixels[i] = (uint8_t)dp_random_u64(&noise);
    for (int f = 0; f < 4; f++) {
        preprocess.filter = (dp_filter)f;
        assert_int_equal(dp_preprocess_run(&preprocess, &image, 1, wanted[f], NULL, NULL),
                         DEEPER_OK);
    }
    for (uint64_t seed = 0; seed < 4000; seed++) {
        int matches = 0;
        run(&augment, &plain, &image, seed, got);
        for (int f = 0; f < 4; f++)
            if (memcmp(got, wanted[f], sizeof got) == 0) {
                counts[f]++;
                matches++;
            }
        assert_int_equal(matches, 1);
    }
    for (int f = 0; f < 4; f++)
        assert_in_range(counts[f], 1000 - 140, 1000 + 140); /* deviation 27 */
    free(image.pixels);
}

/* ------------------------------------------------------------------------------------ the whole */

static void test_same_seed_same_bits(void **state) {
    dp_augment paper;
    static float a[3 * 64], b[3 * 64];
    dp_image image = ramps(60, 45);
    int different = 0;
    assert_int_equal(dp_augment_parse(&paper, "paper", NULL), DEEPER_OK);
    for (uint64_t seed = 0; seed < 50; seed++) {
        run(&paper, &plain, &image, seed, a);
        run(&paper, &plain, &image, seed, b);
        assert_memory_equal(a, b, sizeof a);
        run(&paper, &plain, &image, seed + 1, b);
        different += memcmp(a, b, sizeof a) != 0;
    }
    assert_int_equal(different, 50);
    free(image.pixels);
}

static void test_errors_and_memory(void **state) {
    dp_augment paper;
    dp_image image = ramps(60, 45), none = { 0 };
    dp_preprocess wrong = plain;
    dp_random random = dp_random_at(1, 2, 3);
    float tensor[3 * 64];
    test_failing_allocator failing;
    assert_int_equal(dp_augment_parse(&paper, "paper", NULL), DEEPER_OK);
    wrong.size = 0;
    assert_int_equal(dp_augment_run(&paper, &wrong, &image, &random, tensor, NULL, NULL),
                     DEEPER_ERROR_ARGUMENT);
    assert_int_equal(dp_augment_run(&paper, &plain, &none, &random, tensor, NULL, NULL),
                     DEEPER_ERROR_ARGUMENT);
    for (long n = 1, done = 0; !done; n++) {
        random = dp_random_at(1, 2, 3);
        test_failing_allocator_init(&failing, n);
        deeper_status status =
            dp_augment_run(&paper, &plain, &image, &random, tensor, &failing.allocator, NULL);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        assert_int_equal(failing.outstanding, 0);
    }
    free(image.pixels);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_min_side),
        cmocka_unit_test(test_none_is_the_crop_of_evaluation),
        cmocka_unit_test(test_crops_are_uniform),
        cmocka_unit_test(test_mirror_is_a_coin),
        cmocka_unit_test(test_areas_and_aspects),
        cmocka_unit_test(test_centre_where_nothing_fits),
        cmocka_unit_test(test_brightness_factors),
        cmocka_unit_test(test_photometric_steps),
        cmocka_unit_test(test_lighting),
        cmocka_unit_test(test_lighting_of_one_channel),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_same_seed_same_bits),
        cmocka_unit_test(test_errors_and_memory),
    };
    return cmocka_run_group_tests_name("augment", tests, NULL, NULL);
}
