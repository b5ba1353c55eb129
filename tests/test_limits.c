/* test_limits.c - what a small file can take: pictures and networks are refused by the limits
 * before memory is taken, the readers of a stream share one budget, and an interlaced PNG is not
 * held twice. */
#include "base/budget.h"
#include "base/cpu.h"
#include "data/dataset.h"
#include "data/picture.h"
#include "formats/safetensors/safetensors.h"
#include "helpers/helpers.h"
#include "helpers/pictures.h"
#include "helpers/small.h"
#include "image/image.h"
#include "model/json.h"
#include "model/labels.h"
#include "session/session.h"

#include <png.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_refused(deeper_status status, const deeper_error *error, const char *words) {
    assert_int_equal(status, DEEPER_ERROR_LIMIT);
    if (!strstr(error->message, words))
        fail_msg("\"%s\" should say \"%s\"", error->message, words);
}

/* --------------------------------------------------------------------------------------- budget */

enum { TAKERS = 4, ROUNDS = 2000, MAX_TAKEN = 10 };

typedef struct taking {
    dp_budget budget;
    atomic_int taken, over;
} taking;

static void *take_and_give(void *context) {
    taking *t = context;
    for (int i = 0; i < ROUNDS; i++) {
        int bytes = 1 + i % MAX_TAKEN;
        dp_budget_take(&t->budget, (uint64_t)bytes);
        if (atomic_fetch_add(&t->taken, bytes) + bytes > MAX_TAKEN)
            atomic_fetch_add(&t->over, 1);
        atomic_fetch_sub(&t->taken, bytes);
        dp_budget_give(&t->budget, (uint64_t)bytes);
    }
    return NULL;
}

static void test_budget(void **state) {
    taking t = { .taken = 0 };
    pthread_t threads[TAKERS];
    dp_budget_begin(&t.budget, MAX_TAKEN);
    for (int i = 0; i < TAKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &t), 0);
    for (int i = 0; i < TAKERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(t.over, 0);
    assert_int_equal(t.budget.used, 0);
    dp_budget_end(&t.budget);
}

/* ------------------------------------------------------------------------------------- pictures */

/* A PNG of 1 bit a pixel, 500 x 400: 1,200,000 bytes to decode, 2 MB. */
enum { WIDTH = 500, HEIGHT = 400, MEGABYTES = 2 };

static test_bytes small_bomb(bool interlaced) {
    return test_make_png(&(test_png){ .width = WIDTH,
                                      .height = HEIGHT,
                                      .colour = PNG_COLOR_TYPE_GRAY,
                                      .depth = 1,
                                      .interlaced = interlaced });
}

static void test_pictures(void **state) {
    deeper_error error = { 0 };
    deeper_image *image = NULL;
    deeper_image_options options = DEEPER_IMAGE_OPTIONS_INIT;
    test_bytes png = small_bomb(false);
    options.max_memory = MEGABYTES - 1;
    assert_refused(deeper_image_decode(&image, png.bytes, png.size, "b.png", &options, &error),
                   &error,
                   "b.png: 500x400 takes 2 MB to decode, more than the limit of 1 MB (max_memory)");
    options.max_memory = MEGABYTES;
    assert_int_equal(deeper_image_decode(&image, png.bytes, png.size, "b.png", &options, &error),
                     DEEPER_OK);
    deeper_image_close(image);
    options.max_pixels = WIDTH * HEIGHT - 1;
    assert_refused(deeper_image_decode(&image, png.bytes, png.size, "b.png", &options, &error),
                   &error, "b.png: 500x400 is more than the limit of 199999 pixels (max_pixels)");
    free(png.bytes);
}

/* An allocator that knows how much is taken at once. */
typedef struct meter {
    deeper_allocator allocator;
    size_t now, max;
} meter;

static void *meter_allocate(void *context, size_t size, size_t alignment) {
    meter *m = context;
    size_t *block = aligned_alloc(alignment, (size + 2 * alignment - 1) / alignment * alignment);
    if (!block)
        return NULL;
    *block = size;
    m->now += size;
    m->max = m->now > m->max ? m->now : m->max;
    return (char *)block + alignment;
}

static void meter_release(void *context, void *pointer) {
    meter *m = context;
    enum { ALIGNMENT = DP_ALIGNMENT };
    size_t *block = (size_t *)(void *)((char *)pointer - ALIGNMENT);
    m->now -= *block;
    free(block);
}

static void test_interlaced_png_is_held_once(void **state) {
    for (int transparent = 0; transparent < 2; transparent++) {
        meter m = { .allocator = { meter_allocate, meter_release, NULL } };
        m.allocator.context = &m;
        dp_image image;
        test_bytes png = test_make_png(&(test_png){ .width = WIDTH,
                                                    .height = HEIGHT,
                                                    .colour = PNG_COLOR_TYPE_RGB,
                                                    .depth = 8,
                                                    .interlaced = true,
                                                    .transparent = transparent });
        assert_int_equal(
            dp_image_decode(&image, png.bytes, png.size, "i.png", NULL, &m.allocator, NULL),
            DEEPER_OK);
        dp_image_free(&image);
        free(png.bytes);
        assert_int_equal(m.now, 0);
        assert_true(m.max < WIDTH * HEIGHT * 4); /* 3 bytes a pixel, rows, the codec's tables */
    }
}

/* --------------------------------------------------------------------------------------- stream */

enum { PICTURES = 12 };

typedef struct listing {
    char paths[PICTURES][TEST_PATH_SIZE];
    int asked, good, refused;
} listing;

static int next(void *context, const char **path, int64_t *label) {
    listing *l = context;
    if (l->asked == PICTURES)
        return 0;
    *path = l->paths[l->asked];
    *label = l->asked++;
    return 1;
}

static deeper_control sink(void *context, const deeper_result *result) {
    listing *l = context;
    l->good += result->status == DEEPER_OK;
    l->refused += result->status == DEEPER_ERROR_LIMIT;
    return DEEPER_GO_ON;
}

/* Four readers and a budget of one picture: all are read, one after the other. With less none is,
 * and the stream goes on. */
static void test_readers_share(void **state) {
    static listing l;
    char *folder = test_folder();
    deeper_model *model = small_model(1, NULL);
    deeper_session *session = NULL;
    assert_int_equal(deeper_session_create(&session, model, NULL, NULL), DEEPER_OK);
    test_bytes png = small_bomb(true);
    for (int i = 0; i < PICTURES; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d.png", i);
        test_path(l.paths[i], folder, name);
        test_write(l.paths[i], png.bytes, png.size);
    }
    free(png.bytes);
    for (uint64_t megabytes = 1; megabytes <= MEGABYTES; megabytes++) {
        const deeper_source source = { next, &l };
        deeper_stream_options options = DEEPER_STREAM_OPTIONS_INIT;
        options.readers = 4;
        options.max_memory = megabytes;
        l.asked = l.good = l.refused = 0;
        assert_int_equal(deeper_classify_stream(session, &source, &options, sink, &l, NULL),
                         DEEPER_OK);
        assert_int_equal(l.good, megabytes == MEGABYTES ? PICTURES : 0);
        assert_int_equal(l.refused, PICTURES - l.good);
    }
    deeper_session_free(session);
    deeper_model_close(model);
    test_folder_remove(folder);
}

/* ------------------------------------------------------------------------------------- networks */

static void test_networks(void **state) {
    deeper_error error = { 0 };
    deeper_model *model = NULL;
    deeper_session *session = NULL;
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    assert_int_equal(deeper_model_create(&model, "googlenet", 2, 4096, NULL, &error), DEEPER_OK);
    assert_int_equal(deeper_model_initialize(model, 1, &error), DEEPER_OK);
    assert_refused(deeper_session_create(&session, model, NULL, &error), &error,
                   "MB to run (images at once: 1), more than the limit of 1024 MB");
    assert_null(session);
    deeper_model_close(model);
    model = small_model(1, NULL);
    options.max_memory = 1;
    options.max_batch = 4;
    assert_refused(deeper_session_create(&session, model, &options, &error), &error,
                   "max_memory: googlenet takes ");
    options.max_memory = 100;
    assert_int_equal(deeper_session_create(&session, model, &options, &error), DEEPER_OK);
    deeper_session_free(session);
    deeper_model_close(model);
}

/* ------------------------------------------------------------------------------------- document */

/* The rows of SECURITY.md's table say what the program does. */
static void test_document(void **state) {
    static const struct {
        const char *what;
        long limit;
    } rows[] = {
        { "pixels of a picture", DP_MAX_PIXELS },
        { "MB that all pictures of a call take while they are decoded", DP_MAX_MEGABYTES },
        { "MB of activations for each image that a network computes at once", DP_IMAGE_MEGABYTES },
        { "readers and threads", DP_THREADS_MAX },
        { "bytes of a picture's file", DP_PICTURE_BYTES },
        { "images of a run", DP_BATCH_MAX },
        { "folders inside a class folder", DP_DATASET_DEPTH },
        { "bytes of a safetensors header", DP_SAFETENSORS_MAX_HEADER },
        { "values of a JSON text in a model file", DP_JSON_MAX_VALUES },
        { "labels of a model", DP_LABELS_MAX },
    };
    size_t size, limits = 0;
    char *text = test_read(TEST_SOURCE_DIR "/SECURITY.md", &size);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char row[200];
        snprintf(row, sizeof row, "\n| %s | %ld | ", rows[i].what, rows[i].limit);
        if (!strstr(text, row))
            fail_msg("SECURITY.md has no row%s", row);
    }
    const char *table = strstr(text, "| what | limit |"),
               *end = table ? strstr(table, "\n\n") : NULL;
    assert_non_null(end);
    for (const char *at = table; at < end; at++)
        limits += *at == '\n';
    assert_int_equal(limits, 1 + sizeof rows / sizeof *rows);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_interlaced_png_is_held_once),
        cmocka_unit_test(test_readers_share),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
