/* test_api_pictures.c - the public calls on pictures: opened, prepared, classified one by one, in
 * streams and as a data set. What one call gives is compared with what the calls below it give, to
 * the bit; the small network's weights are random, its answers mean nothing. */
#include "helpers/helpers.h"
#include "helpers/pictures.h"
#include "helpers/small.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { PICTURES = 12 };

static void assert_refused(deeper_status status, deeper_status expected, const deeper_error *error,
                           const char *words) {
    assert_int_equal(status, expected);
    assert_null(strchr(error->message, '\n'));
    if (!strstr(error->message, words))
        fail_msg("\"%s\" should say \"%s\"", error->message, words);
}

static deeper_session *session_of(const deeper_model *model, int max_batch) {
    deeper_session *session = NULL;
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    options.max_batch = max_batch;
    assert_int_equal(deeper_session_create(&session, model, &options, NULL), DEEPER_OK);
    return session;
}

static deeper_image *open_image(const char *path) {
    deeper_image *image = NULL;
    assert_int_equal(deeper_image_open(&image, path, NULL, NULL), DEEPER_OK);
    return image;
}

/* --------------------------------------------------------------------------------------- images */

static void test_images(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    deeper_image *image = NULL;
    deeper_error error = { 0 };
    test_path(path, folder, "x.jpg"); /* the content counts, not the name */
    small_picture(path, 1);
    image = open_image(path);
    assert_int_equal(deeper_image_width(image), 61);
    assert_int_equal(deeper_image_height(image), 65);
    size_t size = 0;
    char *bytes = test_read(path, &size);
    size_t header = size - 61 * 65 * 3;
    assert_memory_equal(deeper_image_pixels(image), bytes + header, 61 * 65 * 3);
    deeper_image_close(image);
    assert_int_equal(deeper_image_decode(&image, bytes, size, NULL, NULL, &error), DEEPER_OK);
    assert_memory_equal(deeper_image_pixels(image), bytes + header, 61 * 65 * 3);
    deeper_image_close(image);

    deeper_image_options options = DEEPER_IMAGE_OPTIONS_INIT;
    options.max_pixels = 61 * 65 - 1;
    assert_refused(deeper_image_open(&image, path, &options, &error), DEEPER_ERROR_LIMIT, &error,
                   path);
    assert_null(image);
    options.max_pixels++;
    assert_int_equal(deeper_image_open(&image, path, &options, &error), DEEPER_OK);
    deeper_image_close(image);
    options.min_side = -1;
    assert_refused(deeper_image_open(&image, path, &options, &error), DEEPER_ERROR_ARGUMENT, &error,
                   "min_side is -1");
    options.size = 0;
    assert_refused(deeper_image_decode(&image, bytes, size, "x", &options, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "_options.size");
    assert_refused(deeper_image_decode(&image, bytes, size - 1, "cut", NULL, &error),
                   DEEPER_ERROR_FORMAT, &error, "cut");
    assert_refused(deeper_image_decode(&image, NULL, 0, "none", NULL, &error), DEEPER_ERROR_FORMAT,
                   &error, "none");
    assert_refused(deeper_image_decode(&image, NULL, 1, "x", NULL, &error), DEEPER_ERROR_ARGUMENT,
                   &error, "bytes is NULL");
    assert_refused(deeper_image_open(&image, NULL, NULL, &error), DEEPER_ERROR_ARGUMENT, &error,
                   "path is NULL");
    assert_refused(deeper_image_open(NULL, path, NULL, &error), DEEPER_ERROR_ARGUMENT, &error,
                   "image is NULL");
    test_write(path, "words", 5);
    assert_refused(deeper_image_open(&image, path, NULL, &error), DEEPER_ERROR_FORMAT, &error,
                   path);
    assert_refused(deeper_image_open(&image, folder, NULL, &error), DEEPER_ERROR_IO, &error,
                   folder);
    free(bytes);
    test_folder_remove(folder);
}

/* ---------------------------------------------------------------------------------- classifying */

/* The probabilities of a picture by prepare and run alone, the softmax averaged here. */
static void by_hand(const deeper_model *model, const deeper_image *image, int crops,
                    float prob[SMALL_CLASSES]) {
    float *tensor = malloc((size_t)crops * SMALL_FLOATS * sizeof *tensor), one[SMALL_CLASSES],
          *outputs[] = { one };
    deeper_session *session = session_of(model, 1);
    assert_int_equal(deeper_prepare(model, image, crops, tensor, NULL), DEEPER_OK);
    memset(prob, 0, SMALL_CLASSES * sizeof *prob);
    for (int i = 0; i < crops; i++) {
        assert_int_equal(deeper_session_run(session, tensor + i * SMALL_FLOATS, 1, outputs, NULL),
                         DEEPER_OK);
        for (int c = 0; c < SMALL_CLASSES; c++)
            prob[c] += one[c];
    }
    for (int c = 0; c < SMALL_CLASSES; c++)
        prob[c] /= (float)crops;
    deeper_session_free(session);
    free(tensor);
}

static void assert_predictions(const deeper_prediction *top, size_t count, const float *prob) {
    for (size_t i = 0; i < count; i++) {
        assert_true(top[i].probability == prob[top[i].index]);
        assert_true(i == 0 || top[i].probability <= top[i - 1].probability);
    }
}

static void test_classify(void **state) {
    static const char labels[] =
        "n0 first\nn1 second one\nn2 third\nn3 fourth\nn4 fifth\nn5 sixth\nn6 seventh\n";
    static const char *const ids[] = { "n0", "n1", "n2", "n3", "n4", "n5", "n6" };
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    test_path(path, folder, "labels.txt");
    test_write(path, labels, sizeof labels - 1);
    deeper_model *model = small_model(3, path);
    test_path(path, folder, "x.ppm");
    small_picture(path, 4);
    deeper_image *image = open_image(path);
    for (int crops = 1; crops <= 10; crops += 9) {
        float prob[SMALL_CLASSES];
        by_hand(model, image, crops, prob);
        for (int batch = 1; batch <= 16;
             batch += 5) { /* in pieces of 1, 6 and 4, at once, with room to spare */
            deeper_session *session = session_of(model, batch);
            deeper_prediction top[SMALL_CLASSES + 3];
            size_t ranked = 99;
            assert_int_equal(
                deeper_classify(session, image, crops, top, SMALL_CLASSES + 3, &ranked, NULL),
                DEEPER_OK);
            assert_int_equal(ranked, SMALL_CLASSES);
            assert_predictions(top, ranked, prob);
            for (size_t i = 0; i < ranked; i++)
                assert_string_equal(top[i].id, ids[top[i].index]);
            for (size_t i = 0; i < ranked; i++)
                assert_true(top[i].index != 1 || strcmp(top[i].name, "second one") == 0);
            assert_int_equal(deeper_classify(session, image, crops, top, 2, &ranked, NULL),
                             DEEPER_OK);
            assert_int_equal(ranked, 2);
            assert_predictions(top, ranked, prob);
            deeper_session_free(session);
        }
    }
    deeper_image_close(image);
    deeper_model_close(model);
    test_folder_remove(folder);
}

static void test_classify_refuses(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    deeper_model *model = small_model(3, NULL), *bare = NULL;
    deeper_session *session = session_of(model, 1), *features = NULL;
    deeper_prediction top[1];
    size_t ranked = 99;
    static const char *const names[] = { "pool5/7x7_s1" };
    deeper_session_options options = DEEPER_SESSION_OPTIONS_INIT;
    options.outputs = names;
    options.output_count = 1;
    test_path(path, folder, "x.ppm");
    small_picture(path, 0);
    deeper_image *image = open_image(path);
    assert_int_equal(deeper_session_create(&features, model, &options, NULL), DEEPER_OK);
    assert_refused(deeper_classify(features, image, 1, top, 1, &ranked, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "\"prob\"");
    assert_refused(deeper_classify(session, image, 7, top, 1, &ranked, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "crops is 7");
    assert_refused(deeper_classify(NULL, image, 1, top, 1, &ranked, &error), DEEPER_ERROR_ARGUMENT,
                   &error, "session is NULL");
    assert_refused(deeper_classify(session, NULL, 1, top, 1, &ranked, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "image is NULL");
    assert_refused(deeper_classify(session, image, 1, NULL, 1, &ranked, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "top is NULL");
    assert_refused(deeper_classify(session, image, 1, top, 1, NULL, &error), DEEPER_ERROR_ARGUMENT,
                   &error, "count is NULL");
    assert_int_equal(ranked, 99);
    float *tensor = small_input(1);
    assert_refused(deeper_prepare(model, image, 2, tensor, &error), DEEPER_ERROR_ARGUMENT, &error,
                   "crops");
    assert_refused(deeper_prepare(model, image, 1, NULL, &error), DEEPER_ERROR_ARGUMENT, &error,
                   "tensor is NULL");
    assert_int_equal(
        deeper_model_create(&bare, SMALL_ARCHITECTURE, SMALL_CLASSES, SMALL_SIDE, NULL, NULL),
        DEEPER_OK);
    assert_refused(deeper_prepare(bare, image, 1, tensor, &error), DEEPER_ERROR_MISMATCH, &error,
                   "made with: bvlc, vgg");
    free(tensor);
    deeper_model_close(bare);
    deeper_image_close(image);
    deeper_session_free(features);
    deeper_session_free(session);
    deeper_model_close(model);
    test_folder_remove(folder);
}

/* -------------------------------------------------------------------------------------- streams */

/* Pictures 0.ppm .. 11.ppm; 3 is text, 7 is not there, and 9 is a JPEG so large that a fraction of
 * its size would do for the network. */
static char *make_pictures(void) {
    char *folder = test_folder(), name[32], path[TEST_PATH_SIZE];
    for (int i = 0; i < PICTURES; i++) {
        snprintf(name, sizeof name, "%d.ppm", i);
        test_path(path, folder, name);
        if (i == 3)
            test_write(path, "text", 4);
        else if (i == 9) {
            test_bytes jpeg =
                test_make_jpeg(&(test_jpeg){ .width = 470, .height = 440, .model = TEST_YCBCR });
            test_write(path, jpeg.bytes, jpeg.size);
            free(jpeg.bytes);
        } else if (i != 7)
            small_picture(path, i);
    }
    return folder;
}

typedef struct stream {
    const char *folder;
    int asked, seen, stop_at; /* stop_at: the sink stops at that picture */
    char path[TEST_PATH_SIZE];
    float (*expected)[SMALL_CLASSES];
} stream;

static int next(void *context, const char **path, int64_t *label) {
    stream *feed = context;
    if (feed->asked == PICTURES)
        return 0;
    snprintf(feed->path, sizeof feed->path, "%s/%d.ppm", feed->folder, feed->asked);
    *path = feed->path;
    *label = feed->asked++ - 1;
    return 1;
}

static deeper_control sink(void *context, const deeper_result *result) {
    stream *feed = context;
    char path[TEST_PATH_SIZE];
    int i = feed->seen++;
    snprintf(path, sizeof path, "%s/%d.ppm", feed->folder, i);
    assert_string_equal(result->path, path);
    assert_int_equal(result->label, i - 1);
    assert_int_equal(result->status, i == 3   ? DEEPER_ERROR_FORMAT
                                     : i == 7 ? DEEPER_ERROR_IO
                                              : DEEPER_OK);
    if (result->status == DEEPER_OK) {
        assert_int_equal(result->classes, SMALL_CLASSES);
        assert_memory_equal(result->probabilities, feed->expected[i], sizeof feed->expected[i]);
        assert_string_equal(result->message, "");
    } else {
        assert_null(result->probabilities);
        assert_non_null(strstr(result->message, path));
    }
    return feed->seen == feed->stop_at ? DEEPER_STOP : DEEPER_SAVE;
}

static void expect(const deeper_model *model, const char *folder, int crops,
                   float (*expected)[SMALL_CLASSES]) {
    for (int i = 0; i < PICTURES; i++) {
        char path[TEST_PATH_SIZE];
        snprintf(path, sizeof path, "%s/%d.ppm", folder, i);
        if (i == 3 || i == 7)
            continue;
        deeper_image *image = open_image(path);
        by_hand(model, image, crops, expected[i]);
        deeper_image_close(image);
    }
}

static void test_stream(void **state) {
    char *folder = make_pictures();
    deeper_model *model = small_model(3, NULL);
    float expected[PICTURES][SMALL_CLASSES];
    for (int crops = 1; crops <= 10; crops += 9) {
        expect(model, folder, crops, expected);
        for (int batch = 1; batch <= 21; batch += 5) {
            deeper_session *session = session_of(model, batch);
            for (int readers = 0; readers <= 3; readers++) {
                stream feed = { .folder = folder, .expected = expected };
                const deeper_source source = { next, &feed };
                deeper_stream_options options = DEEPER_STREAM_OPTIONS_INIT;
                options.crops = crops;
                options.readers = readers;
                assert_int_equal(
                    deeper_classify_stream(session, &source, &options, sink, &feed, NULL),
                    DEEPER_OK);
                assert_int_equal(feed.seen, PICTURES);
            }
            deeper_session_free(session);
        }
    }
    deeper_model_close(model);
    test_folder_remove(folder);
}

/* The crops of the pictures that a stream read, and what became of them by each rule. */
typedef struct crops_seen {
    float crops[PICTURES][144 * SMALL_CLASSES], combined[PICTURES][SMALL_CLASSES];
} crops_seen;

static deeper_control keep_crops(void *context, const deeper_result *result) {
    crops_seen *seen = context;
    if (result->status)
        return DEEPER_GO_ON;
    assert_int_equal(result->crops, 144);
    memcpy(seen->crops[result->label + 1], result->crop_probabilities, sizeof seen->crops[0]);
    memcpy(seen->combined[result->label + 1], result->probabilities, sizeof seen->combined[0]);
    return DEEPER_GO_ON;
}

/* The paper's crops: the same bits whatever the batch and the threads, each as the network gives it
 * for that crop alone. */
static void test_stream_of_144(void **state) {
    char *folder = make_pictures();
    deeper_model *model = small_model(3, NULL);
    static crops_seen first, again;
    for (int rule = DEEPER_COMBINE_MEAN; rule <= DEEPER_COMBINE_GEOMETRIC; rule++)
        for (int batch = 1; batch <= 200; batch = batch * 7 + 6) {
            deeper_session *session = NULL;
            deeper_session_options session_options = DEEPER_SESSION_OPTIONS_INIT;
            session_options.max_batch = batch;
            session_options.threads = 1 + batch % 3;
            assert_int_equal(deeper_session_create(&session, model, &session_options, NULL),
                             DEEPER_OK);
            crops_seen *seen = batch == 1 ? &first : &again;
            stream walk = { .folder = folder };
            const deeper_source source = { next, &walk };
            deeper_stream_options options = DEEPER_STREAM_OPTIONS_INIT;
            options.crops = 144;
            options.combine = (deeper_combine)rule;
            assert_int_equal(
                deeper_classify_stream(session, &source, &options, keep_crops, seen, NULL),
                DEEPER_OK);
            if (seen == &again)
                assert_memory_equal(&again, &first, sizeof first);
            deeper_session_free(session);
        }
    char path[TEST_PATH_SIZE];
    snprintf(path, sizeof path, "%s/5.ppm", folder);
    deeper_image *image = open_image(path);
    float *tensor = malloc((size_t)144 * SMALL_FLOATS * sizeof *tensor), one[SMALL_CLASSES],
          *outputs[] = { one };
    deeper_session *session = session_of(model, 1);
    assert_int_equal(deeper_prepare(model, image, 144, tensor, NULL), DEEPER_OK);
    for (int i = 0; i < 144; i++) {
        assert_int_equal(deeper_session_run(session, tensor + i * SMALL_FLOATS, 1, outputs, NULL),
                         DEEPER_OK);
        assert_memory_equal(one, first.crops[5] + i * SMALL_CLASSES, sizeof one);
    }
    deeper_session_free(session);
    deeper_image_close(image);
    free(tensor);
    deeper_model_close(model);
    test_folder_remove(folder);
}

static void test_crop_sheet(void **state) {
    static const struct {
        int crops, columns, rows;
    } sheets[] = { { 1, 1, 1 }, { 10, 10, 1 }, { 144, 12, 12 } };
    char *folder = test_folder(), path[TEST_PATH_SIZE], sheet[TEST_PATH_SIZE];
    deeper_model *model = small_model(3, NULL);
    deeper_error error = { 0 };
    test_path(path, folder, "x.ppm");
    small_picture(path, 4);
    deeper_image *image = open_image(path);
    test_path(sheet, folder, "sheet.png");
    for (size_t i = 0; i < sizeof sheets / sizeof *sheets; i++) {
        assert_int_equal(deeper_crop_sheet(model, image, sheets[i].crops, sheet, NULL), DEEPER_OK);
        deeper_image *drawn = open_image(sheet);
        assert_int_equal(deeper_image_width(drawn), sheets[i].columns * (SMALL_SIDE + 4) + 4);
        assert_int_equal(deeper_image_height(drawn), sheets[i].rows * (SMALL_SIDE + 4) + 4);
        /* The last crop is a mirror image of one six or five before it (or the only one); its
         * levels are those of the picture. */
        int side = SMALL_SIDE + 4, back = sheets[i].crops == 1 ? 0 : sheets[i].columns / 2,
            width = deeper_image_width(drawn);
        const uint8_t *pixels = deeper_image_pixels(drawn);
        for (int y = 0; y < SMALL_SIDE; y++)
            for (int x = 0; x < SMALL_SIDE; x++) {
                int row = (sheets[i].rows - 1) * side + 4 + y,
                    column = (sheets[i].columns - 1) * side + 4;
                const uint8_t *last = pixels + (row * width + column + x) * 3;
                const uint8_t *plain =
                    pixels
                    + (row * width + column - back * side + (back ? SMALL_SIDE - 1 - x : x)) * 3;
                assert_memory_equal(last, plain, 3);
            }
        deeper_image_close(drawn);
    }
    assert_refused(deeper_crop_sheet(model, image, 2, sheet, &error), DEEPER_ERROR_ARGUMENT, &error,
                   "144");
    assert_refused(deeper_crop_sheet(model, image, 1, folder, &error), DEEPER_ERROR_IO, &error,
                   folder);
    assert_refused(deeper_crop_sheet(model, NULL, 1, sheet, &error), DEEPER_ERROR_ARGUMENT, &error,
                   "image is NULL");
    deeper_image_close(image);
    deeper_model_close(model);
    test_folder_remove(folder);
}

static void test_stream_stops_and_refuses(void **state) {
    char *folder = make_pictures();
    deeper_error error = { 0 };
    deeper_model *model = small_model(3, NULL);
    deeper_session *session = session_of(model, 4);
    float expected[PICTURES][SMALL_CLASSES];
    expect(model, folder, 1, expected);
    for (int stop_at = 1; stop_at <= PICTURES; stop_at++) {
        stream feed = { .folder = folder, .expected = expected, .stop_at = stop_at };
        const deeper_source source = { next, &feed };
        assert_refused(deeper_classify_stream(session, &source, NULL, sink, &feed, &error),
                       DEEPER_ERROR_STOPPED, &error, "stopped");
        assert_int_equal(feed.seen, stop_at);
    }
    stream feed = { .folder = folder, .expected = expected };
    const deeper_source source = { next, &feed }, none = { NULL, NULL };
    deeper_stream_options options = DEEPER_STREAM_OPTIONS_INIT;
    options.crops = 12;
    assert_refused(deeper_classify_stream(session, &source, &options, sink, &feed, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "144");
    options.crops = 1;
    options.combine = (deeper_combine)3;
    assert_refused(deeper_classify_stream(session, &source, &options, sink, &feed, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "combine");
    options.combine = DEEPER_COMBINE_MEAN;
    options.readers = -1;
    assert_refused(deeper_classify_stream(session, &source, &options, sink, &feed, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "readers");
    assert_refused(deeper_classify_stream(NULL, &source, NULL, sink, &feed, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "session is");
    assert_refused(deeper_classify_stream(session, NULL, NULL, sink, &feed, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "source is");
    assert_refused(deeper_classify_stream(session, &none, NULL, sink, &feed, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "source->next");
    assert_refused(deeper_classify_stream(session, &source, NULL, NULL, &feed, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "sink is");
    assert_int_equal(feed.asked, 0);
    deeper_session_free(session);
    deeper_model_close(model);
    test_folder_remove(folder);
}

/* ----------------------------------------------------------------------------------- evaluation */

typedef struct calls {
    uint64_t done;
    int problems;
} calls;

static void progress(void *context, uint64_t done, uint64_t total) {
    calls *counts = context;
    assert_int_equal(done, ++counts->done);
    assert_int_equal(total, PICTURES);
}

static void problem(void *context, const char *path, const char *message) {
    calls *counts = context;
    counts->problems++;
    assert_non_null(strstr(path, ".ppm"));
    assert_non_null(strstr(message, path));
}

/* A list of the pictures, number i of class i mod 7. */
static deeper_dataset *open_list(const char *folder) {
    char path[TEST_PATH_SIZE], text[PICTURES * 16];
    int size = 0;
    for (int i = 0; i < PICTURES; i++)
        size +=
            snprintf(text + size, sizeof text - (size_t)size, "%d.ppm %d\n", i, i % SMALL_CLASSES);
    test_path(path, folder, "list.txt");
    test_write(path, text, (size_t)size);
    deeper_dataset *dataset = NULL;
    assert_int_equal(deeper_dataset_open(&dataset, path, NULL, NULL, NULL), DEEPER_OK);
    return dataset;
}

static void test_evaluate(void **state) {
    char *folder = make_pictures();
    deeper_model *model = small_model(3, NULL);
    deeper_dataset *dataset = open_list(folder);
    float expected[PICTURES][SMALL_CLASSES];
    expect(model, folder, 1, expected);
    deeper_evaluation want = { 0 };
    for (int i = 0; i < PICTURES; i++) {
        int rank = 0, target = i % SMALL_CLASSES;
        if (i == 3 || i == 7)
            continue;
        for (int c = 0; c < SMALL_CLASSES; c++)
            rank += expected[i][c] > expected[i][target];
        want.top1 += rank < 1;
        want.top5 += rank < 5;
        want.loss -= log((double)expected[i][target]) / (PICTURES - 2);
    }
    for (int batch = 1; batch <= 9; batch += 4) {
        deeper_session *session = session_of(model, batch);
        deeper_evaluation result = { 0 };
        calls counts = { 0 };
        deeper_evaluate_options options = DEEPER_EVALUATE_OPTIONS_INIT;
        options.progress = progress;
        options.problem = problem;
        options.context = &counts;
        assert_int_equal(deeper_evaluate(session, dataset, &options, &result, sizeof result, NULL),
                         DEEPER_OK);
        assert_int_equal(result.images, PICTURES - 2);
        assert_int_equal(result.unreadable, 2);
        assert_int_equal(counts.problems, 2);
        assert_int_equal(counts.done, PICTURES);
        assert_int_equal(result.top1, want.top1);
        assert_int_equal(result.top5, want.top5);
        assert_true(fabs(result.loss - want.loss) < 1e-9); /* doubles, summed in another order */
        assert_true(result.seconds > 0);
        assert_int_equal(deeper_evaluate(session, dataset, NULL, &result, sizeof result, NULL),
                         DEEPER_OK); /* nobody listens */
        deeper_session_free(session);
    }
    deeper_dataset_close(dataset);
    deeper_model_close(model);
    test_folder_remove(folder);
}

static void test_evaluate_refuses(void **state) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    deeper_model *model = small_model(3, NULL);
    deeper_session *session = session_of(model, 2);
    deeper_dataset *dataset = open_list(folder),
                   *folders = NULL; /* a list of pictures that are not there */
    deeper_evaluation result = { .images = 99 };
    deeper_evaluate_options options = DEEPER_EVALUATE_OPTIONS_INIT;
    assert_refused(deeper_evaluate(session, dataset, NULL, &result, sizeof result, &error),
                   DEEPER_ERROR_FORMAT, &error, "none of its 12");
    assert_refused(deeper_evaluate(NULL, dataset, NULL, &result, sizeof result, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "session is NULL");
    assert_refused(deeper_evaluate(session, NULL, NULL, &result, sizeof result, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "dataset is NULL");
    assert_refused(deeper_evaluate(session, dataset, NULL, NULL, 0, &error), DEEPER_ERROR_ARGUMENT,
                   &error, "result is NULL");
    options.crops = 0;
    assert_refused(deeper_evaluate(session, dataset, &options, &result, sizeof result, &error),
                   DEEPER_ERROR_ARGUMENT, &error, "crops is 0");
    test_path(path, folder, "cat");
    assert_int_equal(mkdir(path, 0700), 0);
    test_path(path, folder, "cat/x.ppm");
    small_picture(path, 0);
    assert_int_equal(deeper_dataset_open(&folders, folder, NULL, NULL, NULL), DEEPER_OK);
    assert_int_equal(deeper_dataset_images(folders), 1);
    assert_int_equal(deeper_dataset_classes(folders), 1);
    size_t images = 0, class_index = 9;
    assert_string_equal(deeper_dataset_class(folders, 0, &images), "cat");
    assert_int_equal(images, 1);
    assert_string_equal(deeper_dataset_image(folders, 0, &class_index), path);
    assert_int_equal(class_index, 0);
    assert_null(deeper_dataset_class(folders, 1, NULL));
    assert_null(deeper_dataset_image(folders, 1, NULL));
    assert_refused(deeper_evaluate(session, folders, NULL, &result, sizeof result, &error),
                   DEEPER_ERROR_MISMATCH, &error, "no labels");
    assert_int_equal(result.images, 99);
    deeper_dataset_close(folders);
    deeper_dataset_close(dataset);
    deeper_session_free(session);
    deeper_model_close(model);
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_images),
        cmocka_unit_test(test_classify),
        cmocka_unit_test(test_classify_refuses),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_stream_of_144),
        cmocka_unit_test(test_crop_sheet),
        cmocka_unit_test(test_stream_stops_and_refuses),
        cmocka_unit_test(test_evaluate),
        cmocka_unit_test(test_evaluate_refuses),
    };
    return cmocka_run_group_tests_name("api pictures", tests, NULL, NULL);
}
