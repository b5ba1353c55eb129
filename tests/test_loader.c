/* test_loader.c - the decode-ahead pipeline: order, errors in their place, bounded memory, a clean
 * stop at any time. Picture i is 4x4 pixels of level i, the network's input 4x4 of one channel as
 * it is: a tensor tells which picture it came from. */
#include "data/loader.h"
#include "data/picture.h"
#include "helpers/helpers.h"
#include "image/crops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIDE = 4, FLOATS = SIDE * SIDE, PICTURES = 40 };

static const dp_preprocess as_it_is = {
    .size = SIDE, .channels = 1, .scale = { 1, 1, 1 }, .rule = DP_RESIZE_NONE
};

/* Pictures 0.ppm .. 39.ppm; those whose number ends in 3 are text, those that end in 7 are not
 * there. */
static char *make_pictures(void) {
    char *folder = test_folder(), name[32], path[TEST_PATH_SIZE];
    for (int i = 0; i < PICTURES; i++) {
        unsigned char bytes[32 + 3 * FLOATS];
        int header = snprintf((char *)bytes, sizeof bytes, "P6 %d %d 255\n", SIDE, SIDE);
        memset(bytes + header, i, 3 * FLOATS);
        snprintf(name, sizeof name, "%d.ppm", i);
        test_path(path, folder, name);
        if (i % 10 == 3)
            test_write(path, "no picture", 10);
        else if (i % 10 != 7)
            test_write(path, bytes, (size_t)header + 3 * FLOATS);
    }
    return folder;
}

/* Gives the pictures in turn, `count` of them, then again from the first; checks that it is never
 * called from two threads at once. */
typedef struct paths {
    const char *folder;
    int count, next;
    atomic_int inside, asked;
    char path[TEST_PATH_SIZE]; /* the same memory for every path: the loader must copy */
} paths;

static int next_path(void *context, dp_job *job) {
    paths *source = context;
    if (atomic_fetch_add(&source->inside, 1) != 0)
        abort();
    int more = source->next < source->count;
    if (more) {
        snprintf(source->path, sizeof source->path, "%s/%d.ppm", source->folder,
                 source->next % PICTURES);
        job->path = source->path;
        job->key = (uint64_t)source->next << 40;
        job->label = 1000 + source->next++;
    }
    atomic_fetch_add(&source->asked, 1);
    atomic_fetch_sub(&source->inside, 1);
    return more;
}

/* The picture at the item's path as it is. */
static deeper_status prepare(void *context, dp_item *item, float *tensor, deeper_error *error) {
    dp_image image;
    DP_TRY(dp_picture_read(&image, item->path, NULL, item->allocator, error));
    deeper_status status = dp_preprocess_run(&as_it_is, &image, 1, tensor, item->allocator, error);
    dp_image_free(&image);
    return status;
}

static dp_loader *start(paths *source, int readers, size_t slots,
                        const deeper_allocator *allocator) {
    const dp_loader_options options = { .next = next_path,
                                        .prepare = prepare,
                                        .context = source,
                                        .floats = FLOATS,
                                        .readers = readers,
                                        .slots = slots };
    dp_loader *loader = NULL;
    assert_int_equal(dp_loader_create(&loader, &options, allocator, NULL), DEEPER_OK);
    return loader;
}

static void wait_milliseconds(int milliseconds) {
    nanosleep(&(struct timespec){ .tv_nsec = milliseconds * 1000000L }, NULL);
}

/* Item `number` of the source is as it must be; *tensor moves on past a sound one. */
static void assert_item(const dp_item *item, int number, const char *folder, const float **tensor) {
    char path[TEST_PATH_SIZE];
    int picture = number % PICTURES;
    snprintf(path, sizeof path, "%s/%d.ppm", folder, picture);
    assert_string_equal(item->path, path);
    assert_int_equal(item->label, 1000 + number);
    assert_true(item->key == (uint64_t)number << 40);
    deeper_status expected = picture % 10 == 3   ? DEEPER_ERROR_FORMAT
                             : picture % 10 == 7 ? DEEPER_ERROR_IO
                                                 : DEEPER_OK;
    assert_int_equal(item->status, expected);
    if (expected != DEEPER_OK) {
        assert_int_equal(strncmp(item->message, path, strlen(path)), 0);
        return;
    }
    for (int i = 0; i < FLOATS; i++)
        assert_true((*tensor)[i] == (float)picture);
    *tensor += FLOATS;
}

static void read_all(const char *folder, int readers, size_t slots, size_t capacity) {
    paths source = { .folder = folder, .count = PICTURES + 5 };
    dp_loader *loader = start(&source, readers, slots, NULL);
    float tensors[8 * FLOATS];
    int seen = 0;
    for (size_t count = 1; count > 0;) {
        dp_item items[8];
        const float *tensor = tensors;
        assert_int_equal(dp_loader_take(loader, capacity, items, tensors, &count, NULL), DEEPER_OK);
        assert_true(count <= capacity);
        for (size_t i = 0; i < count; i++) {
            assert_item(&items[i], seen++, folder, &tensor);
            dp_item_clear(&items[i]);
            assert_null(items[i].path);
        }
    }
    assert_int_equal(seen, PICTURES + 5);
    size_t count = 1;
    assert_int_equal(dp_loader_take(loader, 1, NULL, NULL, &count, NULL),
                     DEEPER_OK); /* the end stays the end */
    assert_int_equal(count, 0);
    dp_loader_free(loader);
}

static void test_items_come_in_order(void **state) {
    char *folder = make_pictures();
    for (int readers = 1; readers <= 5; readers += 2)
        for (size_t slots = 1; slots <= 9; slots += 4)
            for (size_t capacity = 1; capacity <= 8; capacity += 7)
                read_all(folder, readers, slots, capacity);
    test_folder_remove(folder);
}

static void test_empty_source(void **state) {
    paths source = { .folder = "", .count = 0 };
    dp_loader *loader = start(&source, 2, 2, NULL);
    size_t count = 1;
    assert_int_equal(dp_loader_take(loader, 1, NULL, NULL, &count, NULL), DEEPER_OK);
    assert_int_equal(count, 0);
    dp_loader_free(loader);
    dp_loader_free(NULL);
}

/* Nothing is asked for that has no slot, however long the consumer waits, and no file stays
 * open. */
static void test_reads_ahead_no_further_than_its_slots(void **state) {
    char *folder = make_pictures();
    size_t open_before = test_folder_count("/proc/self/fd");
    paths source = { .folder = folder, .count = 1 << 30 };
    dp_loader *loader = start(&source, 3, 5, NULL);
    float tensors[2 * FLOATS];
    dp_item items[2];
    int taken = 0;
    for (int round = 0; round < 20; round++) {
        size_t count = 0;
        wait_milliseconds(2);
        assert_true(atomic_load(&source.asked) <= taken + 5);
        assert_int_equal(dp_loader_take(loader, 2, items, tensors, &count, NULL), DEEPER_OK);
        assert_true(count >= 1);
        taken += (int)count;
        for (size_t i = 0; i < count; i++)
            dp_item_clear(&items[i]);
    }
    wait_milliseconds(20); /* for the readers to fill the slots and be still */
    assert_int_equal(test_folder_count("/proc/self/fd"), open_before);
    dp_loader_free(loader);
    test_folder_remove(folder);
}

/* Freed at once, or after some pictures, with the source far from its end. */
static void test_stops_at_any_time(void **state) {
    char *folder = make_pictures();
    for (int taken = 0; taken < 12; taken++) {
        paths source = { .folder = folder, .count = 1 << 30 };
        test_failing_allocator memory;
        test_failing_allocator_init(&memory, 0);
        dp_loader *loader = start(&source, 1 + taken % 4, 1 + (size_t)taken % 3, &memory.allocator);
        for (int i = 0; i < taken; i++) {
            float tensor[FLOATS];
            dp_item item;
            size_t count = 0;
            assert_int_equal(dp_loader_take(loader, 1, &item, tensor, &count, NULL), DEEPER_OK);
            dp_item_clear(&item);
        }
        dp_loader_free(loader);
        assert_int_equal(memory.outstanding, 0);
        assert_int_equal(atomic_load(&source.inside), 0);
        int asked = atomic_load(&source.asked);
        wait_milliseconds(1);
        assert_int_equal(atomic_load(&source.asked), asked); /* not called any more */
    }
    test_folder_remove(folder);
}

/* A source that reads names from a pipe. */
typedef struct piped {
    int file;
    atomic_int returned;
} piped;

static int next_from_pipe(void *context, dp_job *job) {
    piped *pipe_ends = context;
    char byte;
    int more = read(pipe_ends->file, &byte, 1) == 1;
    job->path = "nowhere.ppm";
    atomic_fetch_add(&pipe_ends->returned, 1);
    return more;
}

static void test_stops_while_the_source_blocks(void **state) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    static piped pipe_ends; /* outlives the call that is left behind */
    pipe_ends.file = ends[0];
    test_failing_allocator memory;
    test_failing_allocator_init(&memory, 0);
    const dp_loader_options options = { .next = next_from_pipe,
                                        .prepare = prepare,
                                        .context = &pipe_ends,
                                        .floats = FLOATS,
                                        .readers = 3,
                                        .slots = 4 };
    dp_loader *loader = NULL;
    dp_item item;
    float tensor[FLOATS];
    size_t count = 0;
    assert_int_equal(dp_loader_create(&loader, &options, &memory.allocator, NULL), DEEPER_OK);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(dp_loader_take(loader, 1, &item, tensor, &count, NULL),
                     DEEPER_OK); /* one picture, at once */
    assert_int_equal(count, 1);
    assert_int_equal(item.status, DEEPER_ERROR_IO);
    dp_item_clear(&item);
    wait_milliseconds(5);
    dp_loader_free(loader); /* hangs for ever if it waits for the source */
    assert_int_equal(memory.outstanding, 0);
    assert_int_equal(atomic_load(&pipe_ends.returned), 1);
    assert_int_equal(write(ends[1], "xx", 2), 2);
    for (int i = 0; i < 1000 && atomic_load(&pipe_ends.returned) < 2; i++)
        wait_milliseconds(1);
    wait_milliseconds(20);
    assert_int_equal(atomic_load(&pipe_ends.returned),
                     2); /* the blocked call came back, and no other was made */
    assert_int_equal(memory.outstanding, 0);
    close(ends[0]);
    close(ends[1]);
}

/* One reader, so that the nth allocation is always the same one. */
static void test_every_allocation_may_fail(void **state) {
    char *folder = make_pictures();
    test_failing_allocator memory;
    for (long n = 1, done = 0; !done; n++) {
        paths source = { .folder = folder, .count = 2 };
        const dp_loader_options options = { .next = next_path,
                                            .prepare = prepare,
                                            .context = &source,
                                            .floats = FLOATS,
                                            .readers = 1,
                                            .slots = 1 };
        test_failing_allocator_init(&memory, n);
        dp_loader *loader = NULL;
        deeper_status status = dp_loader_create(&loader, &options, &memory.allocator, NULL);
        size_t count = 1;
        while (status == DEEPER_OK && count > 0) {
            dp_item item = { 0 };
            float tensor[FLOATS];
            status = dp_loader_take(loader, 1, &item, tensor, &count, NULL);
            if (status == DEEPER_OK && count > 0)
                status = item.status;
            dp_item_clear(&item);
        }
        dp_loader_free(loader);
        done = memory.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        assert_int_equal(memory.outstanding, 0);
    }
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_come_in_order),
        cmocka_unit_test(test_empty_source),
        cmocka_unit_test(test_reads_ahead_no_further_than_its_slots),
        cmocka_unit_test(test_stops_at_any_time),
        cmocka_unit_test(test_stops_while_the_source_blocks),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
