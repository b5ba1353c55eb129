/* decoding.c - see decoding.h. */
#include "helpers/decoding.h"

#include "base/memory.h"
#include "helpers/helpers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void test_cut_short(test_bytes file, size_t from, size_t to, const char *name) {
    char words[64];
    snprintf(words, sizeof words, "%s: cut short", name);
    for (size_t size = from; size < to; size++) {
        deeper_error error = { 0 };
        dp_image image;
        uint8_t *part = malloc(size); /* of its own, so that reading past its end is seen */
        assert_non_null(part);
        memcpy(part, file.bytes, size);
        assert_int_equal(dp_image_decode(&image, part, size, name, NULL, NULL, &error),
                         DEEPER_ERROR_FORMAT);
        assert_null(image.pixels);
        assert_non_null(strstr(error.message, words));
        free(part);
    }
}

void test_decode_without_memory(test_bytes file, long min_allocations) {
    for (long n = 1, done = 0; !done; n++) {
        test_failing_allocator failing;
        test_failing_allocator_init(&failing, n);
        deeper_error error = { 0 };
        dp_image image;
        const deeper_status status =
            dp_image_decode(&image, file.bytes, file.size, "x", NULL, &failing.allocator, &error);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        dp_image_free(&image);
        assert_int_equal(failing.outstanding, 0);
        assert_true(n > min_allocations || !done);
    }
}

void test_silence(void (*const *tests)(void **state), int count) {
    FILE *caught = tmpfile();
    assert_non_null(caught);
    fflush(stderr);
    int before = dup(STDERR_FILENO);
    dup2(fileno(caught), STDERR_FILENO);
    for (int i = 0; i < count; i++)
        tests[i](NULL);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    assert_int_equal(lseek(fileno(caught), 0, SEEK_END), 0);
    fclose(caught);
}

dp_image test_picture(int width, int height) {
    dp_image image = { .width = width,
                       .height = height,
                       .pixels = dp_alloc(NULL, (size_t)width * (size_t)height, 3) };
    assert_non_null(image.pixels);
    for (int i = 0; i < width * height * 3; i++)
        image.pixels[i] =
            (uint8_t)(test_sample(i / 3 % width, i / 3 / width, i % 3, 255) ^ (unsigned)(i * 37));
    return image;
}
