/* test_accuracy.c - the whole way from photos to figures: 250 ILSVRC-2012 validation photos through
 * BVLC GoogLeNet, centre crop, over all 1000 classes. An independent PyTorch run with Pillow's
 * pixels gave top-1 0.712 (178 photos) and top-5 0.924 (231). Tolerance: 0.008, two photos, whose
 * first two classes are nearer to each other than the decoders' pixels. */
#include "helpers/helpers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PHOTOS = 250 };

static void count_progress(void *context, uint64_t done, uint64_t total) {
    uint64_t *last = context;
    assert_int_equal(done, ++*last);
    assert_int_equal(total, PHOTOS);
}

static void test_ilsvrc_photos(void **state) {
    char path[TEST_PATH_SIZE], photos[TEST_PATH_SIZE];
    deeper_model *model = NULL;
    deeper_session *session = NULL;
    deeper_dataset *dataset = NULL;
    deeper_evaluation result = { 0 };
    deeper_error error = { 0 };
    uint64_t done = 0;
    if (!test_data(photos, "data/ilsvrc-val")
        || !test_data(path, "models/bvlc_googlenet.caffemodel"))
        skip();
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    options.max_batch = 8;
    deeper_evaluate_options evaluate = DEEPER_EVALUATE_OPTIONS_INIT;
    evaluate.progress = count_progress;
    evaluate.context = &done;
    assert_int_equal(deeper_model_open(&model, path, NULL, &error), DEEPER_OK);
    assert_int_equal(deeper_session_create(&session, model, &options, &error), DEEPER_OK);
    assert_int_equal(deeper_dataset_open(&dataset, photos, NULL, NULL, &error), DEEPER_OK);
    if (deeper_evaluate(session, dataset, &evaluate, &result, sizeof result, &error) != DEEPER_OK)
        fail_msg("%s", error.message);
    assert_int_equal(result.images, PHOTOS);
    assert_int_equal(result.unreadable, 0);
    assert_int_equal(done, PHOTOS);
    double top1 = (double)result.top1 / PHOTOS, top5 = (double)result.top5 / PHOTOS;
    if (fabs(top1 - 0.712) > 0.008 || fabs(top5 - 0.924) > 0.008)
        fail_msg("top-1 %.3f, top-5 %.3f; 0.712 and 0.924 are expected", top1, top5);
    deeper_dataset_close(dataset);
    deeper_session_free(session);
    deeper_model_close(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ilsvrc_photos),
    };
    return cmocka_run_group_tests_name("accuracy", tests, NULL, NULL);
}
