/* test_batches.c - what training and its validation are shown of a picture. */
#include "train/core/batches.h"

#include "helpers/helpers.h"
#include "helpers/pictures.h"
#include "image/crops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { SIDE = 20, FLOATS = 3 * SIDE * SIDE };

static const dp_preprocess preprocess = {
    .size = SIDE,
    .channels = 3,
    .scale = { 1, 1, 1 },
    .rule = DP_RESIZE_SHORT,
    .side = 24,
    .filter = DP_FILTER_BILINEAR,
};

/* A set with one JPEG, of which an eighth would be large enough for the network; `path` is where it
 * lies. */
static dp_dataset *make_set(const char *folder, char path[TEST_PATH_SIZE]) {
    dp_dataset *dataset = NULL;
    test_bytes jpeg =
        test_make_jpeg(&(test_jpeg){ .width = 500, .height = 440, .model = TEST_YCBCR });
    test_path(path, folder, "cat");
    assert_int_equal(mkdir(path, 0700), 0);
    test_path(path, folder, "cat/large.jpg");
    test_write(path, jpeg.bytes, jpeg.size);
    free(jpeg.bytes);
    assert_int_equal(dp_dataset_open(&dataset, folder, NULL, NULL, NULL), DEEPER_OK);
    return dataset;
}

static void read_first(float tensor[FLOATS], dp_dataset *dataset, const dp_augment *augment) {
    size_t output = 0;
    const dp_picture_set set = { .dataset = dataset, .outputs = &output };
    const dp_batches_options options = {
        .set = &set, .batch = 1, .readers = 1, .preprocess = &preprocess, .augment = augment
    };
    dp_batches *batches = NULL;
    dp_batch batch;
    assert_int_equal(dp_batches_open(&batches, &options, NULL, NULL), DEEPER_OK);
    assert_int_equal(dp_batches_next(batches, &batch, NULL), DEEPER_OK);
    assert_int_equal(batch.count, 1);
    memcpy(tensor, batch.tensors, FLOATS * sizeof *tensor);
    dp_batches_close(batches);
}

/* Validation, and training without random places, see the pixels that `classify` and `eval` see:
 * those of the full decode. Random places come from a reduced one. */
static void decoded_as_in_evaluation(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    float wanted[FLOATS], tensor[FLOATS];
    dp_dataset *dataset = make_set(folder, path);
    dp_image image;
    assert_int_equal(dp_dataset_read(&image, dataset, 0, NULL, NULL, NULL), DEEPER_OK);
    assert_int_equal(image.width, 500);
    assert_int_equal(dp_preprocess_run(&preprocess, &image, 1, wanted, NULL, NULL), DEEPER_OK);
    dp_image_free(&image);
    read_first(tensor, dataset, NULL);
    assert_memory_equal(tensor, wanted, sizeof wanted);
    read_first(tensor, dataset, &(dp_augment){ 0 });
    assert_memory_equal(tensor, wanted, sizeof wanted);
    read_first(tensor, dataset, &(dp_augment){ .area = true });
    assert_memory_not_equal(tensor, wanted, sizeof wanted);
    dp_dataset_free(dataset);
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(decoded_as_in_evaluation) };
    return cmocka_run_group_tests_name("batches", tests, NULL, NULL);
}
