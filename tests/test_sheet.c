/* test_sheet.c - sheets of pictures pixel by pixel, and tensors turned back into what can be looked
 * at. */
#include "helpers/helpers.h"
#include "image/crops.h"
#include "image/sheet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t *pixel(const dp_image *image, int x, int y) {
    return image->pixels + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
}

/* Pictures of one level, smaller, larger and of the cell's size, each in its cell and nowhere
 * else. */
static void test_cells(void **state) {
    enum { CELL = 6, MARGIN = 2 };
    static const int sizes[4][2] = { { 6, 6 }, { 3, 4 }, { 9, 1 }, { 1, 20 } };
    dp_sheet sheet;
    uint8_t levels[3 * 20];
    assert_int_equal(dp_sheet_create(&sheet, 2, 3, CELL, MARGIN, NULL, NULL), DEEPER_OK);
    assert_int_equal(sheet.image.width, 2 * 8 + 2);
    assert_int_equal(sheet.image.height, 3 * 8 + 2);
    for (int i = 0; i < 4; i++) {
        uint8_t picture[3 * 36];
        memset(picture, 10 + i, sizeof picture);
        const dp_image image = { .width = sizes[i][0], .height = sizes[i][1], .pixels = picture };
        dp_sheet_put(&sheet, i % 2, i / 2, &image);
    }
    for (int y = 0; y < sheet.image.height; y++)
        for (int x = 0; x < sheet.image.width; x++) {
            int column = (x - MARGIN) / 8, row = (y - MARGIN) / 8, i = 2 * row + column,
                expected = 255;
            int in_x = x - MARGIN - 8 * column, in_y = y - MARGIN - 8 * row;
            if (x >= MARGIN && y >= MARGIN && i < 4 && in_x < CELL && in_y < CELL) {
                int left = sizes[i][0] < CELL ? (CELL - sizes[i][0]) / 2 : 0,
                    top = sizes[i][1] < CELL ? (CELL - sizes[i][1]) / 2 : 0;
                if (in_x >= left && in_x < left + sizes[i][0] && in_y >= top
                    && in_y < top + sizes[i][1])
                    expected = 10 + i;
            }
            for (int c = 0; c < 3; c++)
                assert_int_equal(pixel(&sheet.image, x, y)[c], expected);
        }
    dp_image_free(&sheet.image);
    for (int i = 0; i < 20; i++) /* of a wide picture the middle: columns 7 to 12 of 20 */
        memset(levels + 3 * i, i, 3);
    const dp_image wide = { .width = 20, .height = 1, .pixels = levels };
    assert_int_equal(dp_sheet_create(&sheet, 1, 1, CELL, 0, NULL, NULL), DEEPER_OK);
    dp_sheet_put(&sheet, 0, 0, &wide);
    for (int x = 0; x < CELL; x++)
        assert_int_equal(pixel(&sheet.image, x, 2)[0], 7 + x);
    dp_image_free(&sheet.image);
}

static void test_refusals(void **state) {
    dp_sheet sheet;
    assert_int_equal(dp_sheet_create(&sheet, 0, 1, 1, 1, NULL, NULL), DEEPER_ERROR_ARGUMENT);
    assert_int_equal(dp_sheet_create(&sheet, 1, -1, 1, 1, NULL, NULL), DEEPER_ERROR_ARGUMENT);
    assert_int_equal(dp_sheet_create(&sheet, 1, 1, 1, -1, NULL, NULL), DEEPER_ERROR_ARGUMENT);
    assert_int_equal(
        dp_sheet_create(&sheet, 2147483647, 2147483647, 2147483647, 2147483647, NULL, NULL),
        DEEPER_ERROR_LIMIT);
    assert_int_equal(dp_sheet_create(&sheet, 100, 100, 224, 4, NULL, NULL), DEEPER_ERROR_LIMIT);
    assert_null(sheet.image.pixels);
    test_failing_allocator failing;
    test_failing_allocator_init(&failing, 1);
    assert_int_equal(dp_sheet_create(&sheet, 2, 2, 4, 1, &failing.allocator, NULL),
                     DEEPER_ERROR_MEMORY);
    assert_int_equal(failing.outstanding, 0);
}

/* A picture of exactly the network's size comes back from its tensor to the same levels, whatever
 * the order, mean and scale. */
static void test_tensors_become_pictures(void **state) {
    static const dp_preprocess all[] = {
        { .size = 5, .channels = 3, .scale = { 1, 1, 1 }, .rule = DP_RESIZE_NONE },
        { .size = 5,
          .channels = 3,
          .bgr = true,
          .mean = { 104, 117, 123 },
          .scale = { 1, 1, 1 },
          .rule = DP_RESIZE_NONE },
        { .size = 5,
          .channels = 3,
          .mean = { 123, 117, 104 },
          .scale = { 0.017f, 0.0175f, 0.5f },
          .rule = DP_RESIZE_NONE },
        { .size = 5, .channels = 1, .mean = { 73 }, .scale = { 0.01f }, .rule = DP_RESIZE_NONE },
    };
    uint8_t levels[3 * 25];
    float tensor[3 * 25];
    for (int i = 0; i < 3 * 25; i++)
        levels[i] = (uint8_t)(i * 255 / 74);
    const dp_image image = { .width = 5, .height = 5, .pixels = levels };
    for (size_t p = 0; p < sizeof all / sizeof *all; p++) {
        dp_image back;
        assert_int_equal(dp_preprocess_run(&all[p], &image, 1, tensor, NULL, NULL), DEEPER_OK);
        assert_int_equal(dp_preprocess_picture(&back, &all[p], tensor, NULL, NULL), DEEPER_OK);
        for (int i = 0; i < 3 * 25; i++)
            assert_int_equal(back.pixels[i],
                             all[p].channels == 3 ? levels[i] : dp_luminance(levels + i / 3 * 3));
        dp_image_free(&back);
    }
    for (int i = 0; i < 3 * 25; i++)
        tensor[i] = i % 2 ? 1e9f : -1e9f; /* clipped */
    dp_image back;
    assert_int_equal(dp_preprocess_picture(&back, &all[0], tensor, NULL, NULL), DEEPER_OK);
    for (int i = 0; i < 25; i++)
        assert_int_equal(back.pixels[3 * i], i % 2 ? 255 : 0);
    dp_image_free(&back);
}

/* (level + shift - mean) x scale, in the model's order. */
static void test_shift(void **state) {
    static const float shift[3] = { 1.5f, -2, 300 };
    dp_preprocess preprocess = {
        .size = 1, .channels = 3, .bgr = true, .mean = { 1, 2, 3 }, .scale = { 2, 4, 8 }
    };
    uint8_t levels[3] = { 10, 20, 30 };
    const dp_image image = { .width = 1, .height = 1, .pixels = levels };
    float tensor[3];
    dp_preprocess_tensor(&preprocess, &image, shift, tensor);
    assert_true(tensor[0] == (30 + 300 - 1) * 2.0f);
    assert_true(tensor[1] == (20 - 2 - 2) * 4.0f);
    assert_true(tensor[2] == (10 + 1.5f - 3) * 8.0f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_tensors_become_pictures),
        cmocka_unit_test(test_shift),
    };
    return cmocka_run_group_tests_name("sheet", tests, NULL, NULL);
}
