/* test_crops.c - the lists of crops of a landscape, a portrait and a square photo against
 * coordinates derived by hand, the pixels of views against cutting the whole resized picture, and
 * the rules that make one answer of many. */
#include "eval/combine.h"
#include "helpers/decoding.h"
#include "helpers/helpers.h"
#include "image/crops.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const dp_preprocess squash = { .size = 224,
                                      .channels = 3,
                                      .bgr = true,
                                      .mean = { 104, 117, 123 },
                                      .scale = { 1, 1, 1 },
                                      .rule = DP_RESIZE_SQUASH,
                                      .side = 256,
                                      .filter = DP_FILTER_BILINEAR };

static dp_preprocess of_rule(dp_resize_rule rule, int size, int side) {
    dp_preprocess p = squash;
    p.rule = rule;
    p.size = size;
    p.side = side;
    return p;
}

static dp_crop_list list_of(const dp_preprocess *preprocess, int width, int height, int first,
                            int last) {
    dp_crop_list list;
    deeper_error error = { 0 };
    if (dp_crops_list(&list, preprocess, width, height, first, last, &error))
        fail_msg("%s", error.message);
    return list;
}

/* -------------------------------------------------------------------------------- lists by hand */

/* The long side of a picture whose short side is resized to 256, 288, 320 and 352, and where its
 * middle and last square begin.
 *   500 x 375   500 / 375 = 4 / 3: 256 x 4 / 3 = 341.3, 288 x 4 / 3 = 384, 426.7, 469.3, cut down;
 *               the last square begins at 341 - 256 = 85, 384 - 288 = 96, 426 - 320 = 106, 469 -
 *               352 = 117, the middle one at half of that, cut down
 *   300 x 451   451 / 300 = 1.50333: 384.9, 433.0 (288 x 451 / 300 = 432.96), 481.1, 529.2; last
 *               128, 144, 161, 177
 *   224 x 224   a square: one square, thrice */
static const struct {
    int width, height;
    struct {
        int longer, middle, last;
    } scales[4];
} photos[] = {
    { 500, 375, { { 341, 42, 85 }, { 384, 48, 96 }, { 426, 53, 106 }, { 469, 58, 117 } } },
    { 300, 451, { { 384, 64, 128 }, { 432, 72, 144 }, { 481, 80, 161 }, { 529, 88, 177 } } },
    { 224, 224, { { 256, 0, 0 }, { 288, 0, 0 }, { 320, 0, 0 }, { 352, 0, 0 } } },
};

/* In a square of side 256 a crop of 224 leaves 32 pixels, so corners begin at 0 and 32 and the
 * centre at 16; 288 leaves 64, 320 leaves 96, 352 leaves 128. The whole square begins at 0. */
static const struct {
    int side;
    int begin[6][2]; /* top left, top right, bottom left, bottom right, centre, whole: x, y */
} squares[] = {
    { 256, { { 0, 0 }, { 32, 0 }, { 0, 32 }, { 32, 32 }, { 16, 16 }, { 0, 0 } } },
    { 288, { { 0, 0 }, { 64, 0 }, { 0, 64 }, { 64, 64 }, { 32, 32 }, { 0, 0 } } },
    { 320, { { 0, 0 }, { 96, 0 }, { 0, 96 }, { 96, 96 }, { 48, 48 }, { 0, 0 } } },
    { 352, { { 0, 0 }, { 128, 0 }, { 0, 128 }, { 128, 128 }, { 64, 64 }, { 0, 0 } } },
};

static void the_papers_crops(void **state) {
    for (size_t p = 0; p < sizeof photos / sizeof *photos; p++) {
        int width = photos[p].width, height = photos[p].height;
        dp_crop_list list = list_of(&squash, width, height, 2, 2);
        assert_int_equal(list.count, 144);
        for (int i = 0; i < 144; i++) {
            int scale = i / 36, square = i / 12 % 3, place = i % 6, side = squares[scale].side;
            int longer = photos[p].scales[scale].longer;
            int along = square == 0   ? 0
                        : square == 1 ? photos[p].scales[scale].middle
                                      : photos[p].scales[scale].last;
            const dp_view *view = &list.views[list.crops[i].view];
            assert_int_equal(list.crops[i].mirrored, i / 6 % 2);
            assert_int_equal(view->width, width >= height ? longer : side);
            assert_int_equal(view->height, width >= height ? side : longer);
            assert_int_equal(view->side, place == 5 ? side : 224);
            assert_int_equal(view->x,
                             squares[scale].begin[place][0] + (width > height ? along : 0));
            assert_int_equal(view->y,
                             squares[scale].begin[place][1] + (width > height ? 0 : along));
        }
        /* 4 scales x 3 squares x 6; of a square picture the three coincide. */
        assert_int_equal(list.view_count, width == height ? 24 : 72);
    }
}

/* 500 x 375 squashed to 256 x 256 leaves 32; with the short side at 256 it is 341 x 256, which
 * leaves 117 and 32. */
static void one_and_ten(void **state) {
    static const int places[2][5][2] = {
        { { 0, 0 }, { 32, 0 }, { 0, 32 }, { 32, 32 }, { 16, 16 } },
        { { 0, 0 }, { 117, 0 }, { 0, 32 }, { 117, 32 }, { 58, 16 } }
    };
    for (int rule = 0; rule < 2; rule++) {
        dp_preprocess p = of_rule(rule ? DP_RESIZE_SHORT : DP_RESIZE_SQUASH, 224, 256);
        dp_crop_list list = list_of(&p, 500, 375, 0, 1);
        assert_int_equal(list.count, 11);
        assert_int_equal(list.view_count, 5); /* the centre is among the ten */
        for (int i = 0; i < 11; i++) {
            int place = i == 0 ? 4 : (i - 1) % 5;
            const dp_view *view = &list.views[list.crops[i].view];
            assert_int_equal(list.crops[i].mirrored, i > 5);
            assert_int_equal(view->width, rule ? 341 : 256);
            assert_int_equal(view->height, 256);
            assert_int_equal(view->x, places[rule][place][0]);
            assert_int_equal(view->y, places[rule][place][1]);
            assert_int_equal(view->side, 224);
        }
    }
}

/* What is computed once: with the short side at 256 all ten are among the 144 (the corners of the
 * left and the right square, the centre of the middle one); squashed, they are others. A photo of
 * 224 x 224 is taken as it is by the one crop; its ten are the five of the first scale's square,
 * with mirrors. */
static void sets_share_views(void **state) {
    dp_preprocess shorter = of_rule(DP_RESIZE_SHORT, 224, 256);
    assert_int_equal(list_of(&shorter, 500, 375, 0, 2).view_count, 72);
    assert_int_equal(list_of(&squash, 500, 375, 0, 2).view_count, 72 + 5);
    dp_crop_list degenerate = list_of(&squash, 224, 224, 0, 2);
    assert_int_equal(degenerate.count, 155);
    assert_int_equal(degenerate.view_count, 24 + 1);
    const dp_view as_it_is = { 224, 224, 0, 0, 224 };
    assert_memory_equal(&degenerate.views[0], &as_it_is, sizeof as_it_is);
    for (int set = 0; set < DP_CROP_SETS; set++) {
        assert_true(dp_crops_views_max(set, set)
                    >= (size_t)list_of(&squash, 500, 375, set, set).view_count);
        assert_int_equal(dp_crops_count(set, set), dp_crop_set_size(set, NULL));
    }
    assert_int_equal(dp_crops_count(0, 2), DP_CROPS_MAX);
    assert_int_equal(dp_crops_views_max(0, 2), DP_VIEWS_MAX);
}

/* 8, 9, 10 and 11 sevenths of the side: of 28 whole numbers, of 48 54.9, 61.7, 68.6, 75.4. */
static void scales_are_in_proportion(void **state) {
    static const int expected[2][5] = { { 28, 32, 36, 40, 44 }, { 48, 55, 62, 69, 75 } };
    for (int i = 0; i < 2; i++) {
        dp_preprocess p = of_rule(DP_RESIZE_NONE, expected[i][0], 0);
        dp_crop_list list = list_of(&p, 100, 100, 2, 2);
        for (int scale = 0; scale < 4; scale++) {
            const dp_view *whole = &list.views[list.crops[scale * 36 + 5].view];
            assert_int_equal(whole->side, expected[i][1 + scale]);
            assert_int_equal(whole->width, expected[i][1 + scale]);
        }
    }
}

/* --------------------------------------------------------------------------------------- pixels */

enum { SIZE = 14, PLANE = SIZE * SIZE };

/* Cut out of the whole resized picture, whole squares resized once more, mirrored last. */
static void assert_crop(const dp_preprocess *p, const dp_image *image, const dp_view *view,
                        bool mirrored, const float *tensor) {
    dp_image whole, square = test_picture(view->side, view->side), sized;
    assert_int_equal(
        dp_image_resize(&whole, image, NULL, view->width, view->height, p->filter, NULL, NULL),
        DEEPER_OK);
    for (int y = 0; y < view->side; y++)
        memcpy(square.pixels + y * view->side * 3,
               whole.pixels + ((view->y + y) * view->width + view->x) * 3, (size_t)view->side * 3);
    assert_int_equal(dp_image_resize(&sized, &square, NULL, SIZE, SIZE, p->filter, NULL, NULL),
                     DEEPER_OK);
    for (int i = 0; i < 3 * PLANE; i++) {
        int c = i / PLANE, y = i % PLANE / SIZE, x = mirrored ? SIZE - 1 - i % SIZE : i % SIZE;
        assert_true(tensor[i] == (float)sized.pixels[(y * SIZE + x) * 3 + 2 - c] - p->mean[c]);
    }
    dp_image_free(&whole);
    dp_image_free(&square);
    dp_image_free(&sized);
}

/* Landscape, portrait, square, smaller than every crop, and so long that its squares are resampled
 * one by one. */
static void crops_are_parts_of_the_resized_picture(void **state) {
    static const int sizes[][2] = { { 50, 37 }, { 30, 45 }, { SIZE, SIZE }, { 3, 2 },
                                    { 1, 1 },   { 400, 4 }, { 5, 300 } };
    static float tensor[144 * 3 * PLANE];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        dp_image image = test_picture(sizes[i][0], sizes[i][1]);
        for (int set = 0; set < DP_CROP_SETS; set++) {
            dp_preprocess p = of_rule(i % 2 ? DP_RESIZE_SQUASH : DP_RESIZE_SHORT, SIZE, 16);
            deeper_error error = { 0 };
            if (dp_preprocess_run(&p, &image, dp_crop_set_size(set, NULL), tensor, NULL, &error))
                fail_msg("%s", error.message);
            dp_crop_list list = list_of(&p, image.width, image.height, set, set);
            for (int c = 0; c < list.count; c++)
                assert_crop(&p, &image, &list.views[list.crops[c].view], list.crops[c].mirrored,
                            tensor + c * 3 * PLANE);
        }
        dp_image_free(&image);
    }
}

static void refusals(void **state) {
    deeper_error error = { 0 };
    dp_crop_list list;
    dp_image image = test_picture(8, 8);
    float tensor[3 * PLANE];
    dp_preprocess p = of_rule(DP_RESIZE_SHORT, SIZE, 16);
    for (int crops = -1; crops <= 145; crops++)
        if (dp_crop_set_find(crops) < 0) {
            assert_int_equal(dp_preprocess_run(&p, &image, crops, tensor, NULL, &error),
                             DEEPER_ERROR_ARGUMENT);
            assert_non_null(strstr(error.message, "1, 10 and 144"));
        }
    assert_int_equal(dp_crops_list(&list, &p, 1 << 20, 1, 2, 2, &error), DEEPER_ERROR_LIMIT);
    assert_non_null(strstr(error.message, "too elongated"));
    dp_image_free(&image);
}

static void memory_failures_are_reported(void **state) {
    static float tensor[144 * 3 * PLANE];
    dp_image image = test_picture(50, 37);
    dp_preprocess p = of_rule(DP_RESIZE_SHORT, SIZE, 16);
    test_failing_allocator failing;
    for (long n = 1, done = 0; !done; n += 7) {
        deeper_error error = { 0 };
        test_failing_allocator_init(&failing, n);
        deeper_status status =
            dp_preprocess_run(&p, &image, 144, tensor, &failing.allocator, &error);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        assert_int_equal(failing.outstanding, 0);
    }
    dp_image_free(&image);
}

/* ---------------------------------------------------------------------------------------- rules */

/* (0.5 0.3 0.2) and (0.1 0.1 0.8): mean 0.3 0.2 0.5; largest 0.5 0.3 0.8, of 1.6; roots of 0.05,
 * 0.03 and 0.16 are 0.2236, 0.1732 and 0.4, of 0.7968. All in float: a relative error of a few
 * 2^-24. */
static void combine_rules(void **state) {
    static const float rows[] = { 0.5f, 0.3f, 0.2f, 0.1f, 0.1f, 0.8f };
    const double root[3] = { sqrt(0.05), sqrt(0.03), 0.4 }, sum = root[0] + root[1] + root[2];
    const double expected[3][3] = { { 0.3, 0.2, 0.5 },
                                    { 0.5 / 1.6, 0.3 / 1.6, 0.5 },
                                    { root[0] / sum, root[1] / sum, root[2] / sum } };
    float out[3];
    for (int rule = 0; rule < 3; rule++) {
        dp_combine((deeper_combine)rule, rows, 2, 3, out);
        for (int c = 0; c < 3; c++)
            assert_true(fabs((double)out[c] - expected[rule][c]) < 1e-6);
        dp_combine((deeper_combine)rule, rows, 1, 3, out);
        assert_memory_equal(out, rows, sizeof out);
    }
    assert_null(dp_combine_name((deeper_combine)3));
    assert_string_equal(dp_combine_name(DEEPER_COMBINE_GEOMETRIC), "geometric");
}

/* 144 rows in which every class is all but ruled out by some row: the product of so many small
 * numbers is none that a double has, its ratio is. A class that is 0 in a row counts as the
 * smallest normal float there. */
static void geometric_mean_of_many(void **state) {
    static float rows[144 * 2];
    float out[2];
    for (int row = 0; row < 144; row++) {
        rows[2 * row] = row % 2 ? 1e-20f : 1;
        rows[2 * row + 1] = row % 2 ? 1 : 1e-20f;
    }
    dp_combine(DEEPER_COMBINE_GEOMETRIC, rows, 144, 2, out);
    assert_true(out[0] == 0.5f && out[1] == 0.5f);
    rows[0] = 0;
    dp_combine(DEEPER_COMBINE_GEOMETRIC, rows, 144, 2, out);
    double ratio = pow((double)FLT_MIN, 1.0 / 144); /* of class 0 to class 1 */
    assert_true(fabs((double)out[0] - ratio / (1 + ratio))
                < 1e-5); /* ln is kept as a float of up to 23: 2^-20 */
}

/* torchvision.transforms.CenterCrop(224): int(round((side - 224) / 2.0)), halves to the even. */
static void centre_of_odd_rooms(void **state) {
    static const int cases[][2] = { { 224, 0 },  { 225, 0 },  { 226, 1 }, { 227, 2 },  { 228, 2 },
                                    { 229, 2 },  { 230, 3 },  { 231, 4 }, { 383, 80 }, { 455, 116 },
                                    { 341, 58 }, { 340, 58 }, { 339, 58 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(dp_crop_centre(cases[i][0], 224), cases[i][1]);
        dp_preprocess rule = of_rule(DP_RESIZE_SHORT, 224, 224);
        dp_crop_list list = list_of(&rule, cases[i][0], 224, 0, 0);
        assert_int_equal(list.views[0].x, cases[i][1]);
        assert_int_equal(list.views[0].y, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(centre_of_odd_rooms),
        cmocka_unit_test(the_papers_crops),
        cmocka_unit_test(one_and_ten),
        cmocka_unit_test(sets_share_views),
        cmocka_unit_test(scales_are_in_proportion),
        cmocka_unit_test(crops_are_parts_of_the_resized_picture),
        cmocka_unit_test(refusals),
        cmocka_unit_test(memory_failures_are_reported),
        cmocka_unit_test(combine_rules),
        cmocka_unit_test(geometric_mean_of_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
