/* test_box_scores.c - the figures of detection: cases worked out by hand and, on random sets with
 * crowds, difficult boxes and equal scores, against the plain reference; intervals, mistakes,
 * refusals, memory that fails. */
#include "detect/match.h"
#include "helpers/helpers.h"
#include "reference/reference_boxes.h"

#include <deeper/deeper.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { AP, AP50, AP75, APS, APM, APL, AR1, AR10, AR100, ARS, ARM, ARL, VOC07, VOC10, ILSVRC };

static deeper_truth box_at(size_t image, size_t class_index, double x, double y, double width,
                           double height) {
    return (deeper_truth){ .image = image,
                           .class_index = class_index,
                           .box = { x, y, width, height },
                           .area = width * height };
}

static deeper_detection says(size_t image, size_t class_index, double x, double y, double width,
                             double height, double score) {
    return (deeper_detection){
        .image = image, .class_index = class_index, .box = { x, y, width, height }, .score = score
    };
}

static deeper_box_scores *score(const reference_set *set, int resamples) {
    deeper_box_scores_options options = DEEPER_BOX_SCORES_OPTIONS_INIT;
    deeper_box_scores *scores = NULL;
    deeper_error error = { 0 };
    options.images = set->images;
    options.classes = set->classes;
    options.resamples = resamples;
    options.seed = 3;
    if (deeper_box_scores_create(&scores, set->truth, set->truth_count, set->detections,
                                 set->detection_count, &options, &error))
        fail_msg("%s", error.message);
    return scores;
}

static double figure(const deeper_box_scores *scores, size_t index) {
    deeper_box_score row = { 0 };
    assert_int_equal(deeper_box_scores_figure(scores, index, &row, sizeof row, NULL), DEEPER_OK);
    return row.value;
}

static deeper_box_mistake mistake(const deeper_box_scores *scores, const char *name) {
    deeper_box_mistake row = { 0 };
    for (size_t i = 0; !deeper_box_scores_mistake(scores, i, &row, sizeof row, NULL); i++)
        if (!strcmp(row.name, name))
            return row;
    fail_msg("no mistake %s", name);
    return row;
}

static void near(double value, double expected) {
    if (!(fabs(value - expected) <= 1e-12))
        fail_msg("%.15g, expected %.15g", value, expected);
}

/* Two boxes of class 0; the best detection finds one, the second is background, the third finds the
 * other with an overlap of .6. Precision over recall: 1 to .5, 2/3 to 1. */
static void by_hand(void **state) {
    const deeper_truth truth[] = { box_at(0, 0, 0, 0, 100, 100), box_at(1, 0, 0, 0, 100, 100) };
    const deeper_detection detections[] = { says(0, 0, 0, 0, 100, 100, .9),
                                            says(0, 0, 500, 0, 100, 100, .8),
                                            says(1, 0, 0, 0, 100, 60, .7) };
    const reference_set set = { truth, 2, detections, 3, 2, 1 };
    deeper_box_scores *scores = score(&set, 0);
    near(figure(scores, AP50), (51 + 50 * 2 / 3.0) / 101);
    near(figure(scores, AP75), 51 / 101.0);
    near(figure(scores, AP), (3 * (51 + 50 * 2 / 3.0) + 7 * 51) / 1010);
    near(figure(scores, AR100), (3 * 1 + 7 * .5) / 10);
    near(figure(scores, VOC07), (6 + 5 * 2 / 3.0) / 11);
    near(figure(scores, VOC10), .5 + .5 * 2 / 3);
    assert_true(isnan(figure(scores, APS)));
    size_t detected = 0;
    assert_int_equal(deeper_box_scores_boxes(scores, 0, &detected), 2);
    assert_int_equal(detected, 3);
    near(deeper_box_scores_of_class(scores, VOC10, 0), .5 + .5 * 2 / 3);
    near(mistake(scores, "background").gain, 1 - (51 + 50 * 2 / 3.0) / 101);
    deeper_box_scores_close(scores);
}

/* One recall of exactly 3/10: the step .3 is reached, though 3 x .1 is more than .3 in binary. */
static void eleven_points(void **state) {
    deeper_truth truth[10];
    deeper_detection detections[3];
    for (size_t i = 0; i < 10; i++)
        truth[i] = box_at(i, 0, 0, 0, 50, 50);
    for (size_t i = 0; i < 3; i++)
        detections[i] = says(i, 0, 0, 0, 50, 50, 1);
    const reference_set set = { truth, 10, detections, 3, 10, 1 };
    deeper_box_scores *scores = score(&set, 0);
    near(figure(scores, VOC07), 4 / 11.0);
    deeper_box_scores_close(scores);
}

/* ILSVRC asks a box of 10 x 10 for an overlap of .25 only, and a second detection takes the box
 * that the first has left; VOC counts it as wrong where its largest overlap is taken. */
static void small_boxes(void **state) {
    const deeper_truth truth[] = { box_at(0, 0, 0, 0, 10, 10) };
    const deeper_detection detections[] = { says(0, 0, 0, 0, 10, 3, .9) };
    const reference_set set = { truth, 1, detections, 1, 1, 1 };
    deeper_box_scores *scores = score(&set, 0);
    near(figure(scores, ILSVRC), 1);
    near(figure(scores, VOC10), 0);
    near(figure(scores, APS), 0);
    assert_true(isnan(figure(scores, APL)));
    deeper_box_scores_close(scores);
}

/* A crowd takes any number of detections; a difficult box is neither right nor wrong. */
static void crowds(void **state) {
    deeper_truth truth[] = { box_at(0, 0, 0, 0, 50, 50), box_at(0, 0, 200, 0, 100, 100),
                             box_at(0, 0, 400, 0, 50, 50) };
    truth[1].crowd = 1;
    truth[2].difficult = 1;
    const deeper_detection detections[] = { says(0, 0, 210, 0, 20, 20, .9),
                                            says(0, 0, 240, 0, 20, 20, .8),
                                            says(0, 0, 400, 0, 50, 50, .7),
                                            says(0, 0, 0, 0, 50, 50, .6) };
    const reference_set set = { truth, 3, detections, 4, 1, 1 };
    deeper_box_scores *scores = score(&set, 0);
    near(figure(scores, AP50), 1);
    assert_int_equal(deeper_box_scores_boxes(scores, 0, NULL), 1);
    near(figure(scores, VOC10), 1 / 3.0); /* VOC knows no crowds: these two are wrong */
    deeper_box_scores_close(scores);
}

/* One mistake of each kind. */
static void kinds(void **state) {
    const deeper_truth truth[] = { box_at(0, 0, 0, 0, 100, 100), box_at(1, 1, 0, 0, 100, 100),
                                   box_at(2, 0, 0, 0, 100, 100), box_at(3, 0, 0, 0, 100, 100) };
    const deeper_detection detections[] = {
        says(0, 0, 0, 0, 100, 100, .9),  /* right */
        says(0, 0, 0, 0, 100, 90, .8),   /* duplicate */
        says(1, 0, 0, 0, 100, 100, .7),  /* class */
        says(2, 0, 0, 0, 100, 30, .6),   /* localisation */
        says(3, 1, 0, 0, 100, 30, .5),   /* both */
        says(3, 1, 300, 0, 100, 30, .4), /* background */
    };
    const reference_set set = { truth, 4, detections, 6, 4, 2 };
    static const char *const names[] = { "class",     "localisation", "both",
                                         "duplicate", "background",   "missed" };
    deeper_box_scores *scores = score(&set, 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(mistake(scores, names[i]).count, 1);
    /* AP50 is (34 / 101 + 0) / 2: a third of class 0 and nothing of class 1. With the class put
     * right that of class 1 is 1. */
    near(figure(scores, AP50), 34 / 101.0 / 2);
    near(mistake(scores, "class").gain, .5);
    near(mistake(scores, "missed").gain, 51 / 101.0 / 2 - 34 / 101.0 / 2);
    assert_int_equal(deeper_box_scores_mistake(scores, 6, &(deeper_box_mistake){ 0 },
                                               sizeof(deeper_box_mistake), NULL),
                     DEEPER_ERROR_ARGUMENT);
    deeper_box_scores_close(scores);
}

/* ------------------------------------------------------------------------------------ random sets
 */

static uint32_t state_of_chance;
static double chance(double limit) {
    state_of_chance = state_of_chance * 1664525u + 1013904223u;
    return (state_of_chance >> 8) / 16777216.0 * limit;
}

typedef struct random_set {
    deeper_truth truth[160];
    deeper_detection detections[600];
    reference_set set;
} random_set;

/* Boxes of all sizes; detections shaken from them, with few different scores, so that many are
 * equal. Whole pixels make overlaps of exactly .5 and .75. */
static void random_set_make(random_set *r, uint32_t seed) {
    state_of_chance = seed;
    const size_t images = 1 + (size_t)chance(9), classes = 1 + (size_t)chance(4);
    const size_t truths = (size_t)chance(160), detections = (size_t)chance(600);
    for (size_t i = 0; i < truths; i++) {
        r->truth[i] =
            box_at((size_t)chance((double)images), (size_t)chance((double)classes),
                   floor(chance(40)), floor(chance(40)), floor(chance(120)), floor(chance(120)));
        r->truth[i].area *= i % 3 ? 1 : chance(1);
        r->truth[i].crowd = chance(10) < 1;
        r->truth[i].difficult = chance(10) < 1;
    }
    for (size_t i = 0; i < detections; i++) {
        deeper_box box = { floor(chance(40)), floor(chance(40)), floor(chance(120)),
                           floor(chance(120)) };
        size_t image = (size_t)chance((double)images),
               class_index = (size_t)chance((double)classes);
        if (truths && chance(4) < 3) {
            const deeper_truth *t = &r->truth[(size_t)chance((double)truths)];
            image = t->image;
            class_index = t->class_index;
            box = t->box;
            box.x += floor(chance(8));
            box.height *= chance(2) < 1 ? .5 : .75;
        }
        r->detections[i] =
            says(image, class_index, box.x, box.y, box.width, box.height, floor(chance(20)) / 20);
    }
    r->set = (reference_set){ r->truth, truths, r->detections, detections, images, classes };
}

static void same_or_nan(double value, double expected, const char *what, uint32_t seed) {
    if (!(fabs(value - expected) <= 1e-9) && !(isnan(value) && isnan(expected)))
        fail_msg("set %u: %s is %.12g, the reference has %.12g", seed, what, value, expected);
}

/* COCO's figures of one class with a range of area and a number of detections. */
static void check_coco(const deeper_box_scores *scores, const random_set *r, size_t class_index,
                       uint32_t seed) {
    static const struct {
        int ap, ar, area;
        size_t best;
    } rows[] = { { AP, AR100, 0, 100 }, { -1, AR1, 0, 1 },    { -1, AR10, 0, 10 },
                 { APS, ARS, 1, 100 },  { APM, ARM, 2, 100 }, { APL, ARL, 3, 100 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double ap = 0, ar = 0;
        for (int step = 0; step < 10; step++) {
            double recall = 0,
                   one = reference_coco(&r->set, class_index,
                                        step == 9 ? .95 : .5 + step * ((.95 - .5) / 9),
                                        dp_coco_areas[rows[i].area][0],
                                        dp_coco_areas[rows[i].area][1], rows[i].best, &recall);
            ap += one / 10;
            ar += recall / 10;
            if (i == 0 && step == 0)
                same_or_nan(deeper_box_scores_of_class(scores, AP50, class_index), one, "AP50",
                            seed);
            if (i == 0 && step == 5)
                same_or_nan(deeper_box_scores_of_class(scores, AP75, class_index), one, "AP75",
                            seed);
        }
        if (rows[i].ap >= 0)
            same_or_nan(deeper_box_scores_of_class(scores, (size_t)rows[i].ap, class_index), ap,
                        "AP", seed);
        same_or_nan(deeper_box_scores_of_class(scores, (size_t)rows[i].ar, class_index), ar, "AR",
                    seed);
    }
}

static void against_reference(void **state) {
    static random_set r;
    for (uint32_t seed = 0; seed < 60; seed++) {
        random_set_make(&r, seed);
        deeper_box_scores *scores = score(&r.set, 0);
        for (size_t c = 0; c < r.set.classes; c++) {
            check_coco(scores, &r, c, seed);
            same_or_nan(deeper_box_scores_of_class(scores, VOC07, c),
                        reference_voc(&r.set, c, 0, 11), "voc07", seed);
            same_or_nan(deeper_box_scores_of_class(scores, VOC10, c),
                        reference_voc(&r.set, c, 0, 0), "voc10", seed);
            same_or_nan(deeper_box_scores_of_class(scores, ILSVRC, c),
                        reference_voc(&r.set, c, 1, 0), "ilsvrc", seed);
        }
        deeper_box_scores_close(scores);
    }
}

/* Intervals have a width, are of the seed alone, and of photos that are all alike have no width. */
static void intervals(void **state) {
    static random_set r;
    uint32_t seed = 0;
    do
        random_set_make(&r, seed++);
    while (r.set.images < 7 || r.set.truth_count < 100 || r.set.detection_count < 200);
    deeper_box_scores *one = score(&r.set, 200), *two = score(&r.set, 200);
    for (size_t i = 0; i < deeper_box_scores_figures(one); i++) {
        deeper_box_score a = { 0 }, b = { 0 };
        deeper_box_scores_figure(one, i, &a, sizeof a, NULL);
        deeper_box_scores_figure(two, i, &b, sizeof b, NULL);
        assert_true(a.interval[0] < a.interval[1]);
        assert_true(a.interval[0] < a.value + .1 && a.value - .1 < a.interval[1]);
        assert_memory_equal(a.interval, b.interval, sizeof a.interval);
    }
    deeper_box_scores_close(one);
    deeper_box_scores_close(two);
    deeper_truth truth[20];
    deeper_detection detections[20];
    for (size_t i = 0; i < 20; i++) {
        truth[i] = box_at(i, 0, 0, 0, 50, 50);
        detections[i] = says(i, 0, 0, 0, 50, 50, .5);
    }
    const reference_set alike = { truth, 20, detections, 20, 20, 1 };
    deeper_box_scores *scores = score(&alike, 50);
    deeper_box_score row = { 0 };
    deeper_box_scores_figure(scores, AP, &row, sizeof row, NULL);
    near(row.interval[0], 1);
    near(row.interval[1], 1);
    deeper_box_scores_close(scores);
}

static void refusals(void **state) {
    const deeper_truth good = box_at(0, 0, 0, 0, 5, 5);
    deeper_box_scores_options options = DEEPER_BOX_SCORES_OPTIONS_INIT;
    options.images = options.classes = 1;
    struct {
        deeper_truth truth;
        deeper_detection detection;
        const char *says;
    } cases[] = {
        { box_at(0, 0, (double)NAN, 0, 5, 5), says(0, 0, 0, 0, 5, 5, 1), "truth[0].box" },
        { box_at(0, 0, 0, 0, -1, 5), says(0, 0, 0, 0, 5, 5, 1), "size below 0" },
        { box_at(1, 0, 0, 0, 5, 5), says(0, 0, 0, 0, 5, 5, 1), "truth[0].image is 1" },
        { good, says(0, 0, 0, 0, 5, 5, (double)NAN), "detections[0].score" },
        { good, says(0, 0, 0, 0, (double)INFINITY, 5, 1), "detections[0].box" },
        { good, says(0, 0, 1e300, 0, 5, 5, 1), "beyond" },
        { good, says(0, 7, 0, 0, 5, 5, 1), "detections[0].class_index is 7" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        deeper_box_scores *scores = NULL;
        deeper_error error = { 0 };
        assert_int_equal(deeper_box_scores_create(&scores, &cases[i].truth, 1, &cases[i].detection,
                                                  1, &options, &error),
                         DEEPER_ERROR_ARGUMENT);
        assert_null(scores);
        assert_non_null(strstr(error.message, cases[i].says));
    }
    options.resamples = 10001;
    deeper_box_scores *scores = NULL;
    assert_int_equal(deeper_box_scores_create(&scores, &good, 1, NULL, 0, &options, NULL),
                     DEEPER_ERROR_ARGUMENT);
    /* Nothing at all is a set, too: of no figure. */
    assert_int_equal(deeper_box_scores_create(&scores, NULL, 0, NULL, 0, NULL, NULL), DEEPER_OK);
    assert_true(isnan(figure(scores, AP)));
    deeper_box_scores_close(scores);
}

static void memory(void **state) {
    static random_set r;
    random_set_make(&r, 2);
    deeper_box_scores_options options = DEEPER_BOX_SCORES_OPTIONS_INIT;
    options.resamples = 2;
    for (long n = 1, done = 0; !done; n++) {
        test_failing_allocator failing;
        test_failing_allocator_init(&failing, n);
        options.allocator = &failing.allocator;
        deeper_box_scores *scores = NULL;
        deeper_status status =
            deeper_box_scores_create(&scores, r.set.truth, r.set.truth_count, r.set.detections,
                                     r.set.detection_count, &options, NULL);
        done = failing.calls < n;
        assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
        deeper_box_scores_close(scores);
        assert_int_equal(failing.outstanding, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),     cmocka_unit_test(eleven_points),
        cmocka_unit_test(small_boxes), cmocka_unit_test(crowds),
        cmocka_unit_test(kinds),       cmocka_unit_test(against_reference),
        cmocka_unit_test(intervals),   cmocka_unit_test(refusals),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
