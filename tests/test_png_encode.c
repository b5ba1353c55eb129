/* test_png_encode.c - pictures written as PNG come back to the same pixels, from memory and from
 * disk; what cannot be had fails cleanly. */
#include "base/random.h"
#include "helpers/helpers.h"
#include "image/png_encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Noise, so that filters and compression have work. Freed by free(pixels). */
static dp_image make(int width, int height) {
    dp_random random = dp_random_at(7, (uint64_t)width, (uint64_t)height);
    size_t size = (size_t)width * (size_t)height * 3;
    dp_image image = { .width = width, .height = height, .pixels = malloc(size) };
    assert_non_null(image.pixels);
    for (size_t i = 0; i < size; i++)
        image.pixels[i] = (uint8_t)dp_random_u64(&random);
    return image;
}

static void assert_same(const dp_image *a, const dp_image *b) {
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_memory_equal(a->pixels, b->pixels, (size_t)a->width * (size_t)a->height * 3);
}

static void test_round_trip(void **state) {
    static const int sizes[][2] = { { 1, 1 }, { 1, 300 }, { 300, 1 }, { 64, 48 }, { 257, 129 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        dp_image image = make(sizes[i][0], sizes[i][1]), back;
        dp_buffer buffer;
        dp_buffer_init(&buffer, NULL, 1 << 20);
        assert_true(dp_buffer_append(&buffer, "before", 6)); /* the file is appended */
        assert_int_equal(dp_png_encode(&buffer, &image, NULL), DEEPER_OK);
        assert_memory_equal(buffer.data, "before", 6);
        assert_int_equal(
            dp_image_decode(&back, buffer.data + 6, buffer.size - 6, "back", NULL, NULL, NULL),
            DEEPER_OK);
        assert_same(&back, &image);
        dp_image_free(&back);
        dp_buffer_free(&buffer);
        free(image.pixels);
    }
}

static void test_file(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    dp_image image = make(31, 17), back;
    size_t size = 0;
    test_path(path, folder, "a.png");
    assert_int_equal(dp_png_write(path, &image, NULL, NULL), DEEPER_OK);
    char *bytes = test_read(path, &size);
    assert_non_null(bytes);
    assert_int_equal(dp_image_decode(&back, bytes, size, "back", NULL, NULL, NULL), DEEPER_OK);
    assert_same(&back, &image);
    assert_int_equal(test_folder_count(folder), 1);
    free(bytes);
    dp_image_free(&back);
    deeper_error error = { 0 };
    test_path(path, folder, "missing/a.png");
    assert_int_equal(dp_png_write(path, &image, NULL, &error), DEEPER_ERROR_IO);
    assert_int_equal(strncmp(error.message, folder, strlen(folder)), 0);
    free(image.pixels);
    test_folder_remove(folder);
}

static void test_refusals(void **state) {
    deeper_error error = { 0 };
    dp_buffer buffer;
    dp_image none = { 0 }, image = make(64, 64);
    dp_buffer_init(&buffer, NULL, 1000); /* noise of 12288 bytes does not fit */
    assert_int_equal(dp_png_encode(&buffer, &none, &error), DEEPER_ERROR_ARGUMENT);
    assert_int_equal(dp_png_encode(&buffer, &image, &error), DEEPER_ERROR_MEMORY);
    assert_int_equal(error.status, DEEPER_ERROR_MEMORY);
    dp_buffer_free(&buffer);
    dp_image wide = { .width = 1000001, .height = 1, .pixels = image.pixels };
    assert_int_equal(dp_png_encode(&buffer, &wide, &error), DEEPER_ERROR_LIMIT);
    free(image.pixels);
}

static void test_every_allocation_may_fail(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    dp_image image = make(40, 40);
    test_failing_allocator failing;
    test_path(path, folder, "a.png");
    for (long n = 1, done = 0; !done; n++) {
        test_failing_allocator_init(&failing, n);
        deeper_status status = dp_png_write(path, &image, &failing.allocator, NULL);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        assert_int_equal(failing.outstanding, 0);
        assert_int_equal(test_folder_count(folder), done);
    }
    free(image.pixels);
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("png_encode", tests, NULL, NULL);
}
