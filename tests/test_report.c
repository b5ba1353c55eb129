/* test_report.c - what a run leaves to look at: checksums against published vectors, the log and
 * the events read back, pages held to a small checker of markup whatever names they are given,
 * plots held inside their box whatever numbers they are given. */
#include "events.pb-c.h"
#include "helpers/comma.h"
#include "helpers/helpers.h"
#include "helpers/markup.h"
#include "report/crc32c.h"
#include "report/markup.h"
#include "report/report.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOSTILE                                                                                    \
    "</td></title><script>alert('1')</script>\"onload=\"x\"&amp;\xFF\xC0\x80\x01 \xEC\xA7\x80"

/* ---------------------------------------------------------------------------- a report to write */

enum { EPOCHS = 3, CLASSES = 3, SIDE = 20 };

typedef struct sample {
    dp_report report;
    dp_report_epoch epochs[EPOCHS];
    uint64_t confusion[CLASSES * CLASSES];
    uint8_t pixels[SIDE * SIDE * 3];
    dp_report_mistake mistake;
} sample;

static void make(sample *s) {
    static const char *const classes[CLASSES] = { "cat", "dog", "owl" };
    static const char *const facts[][2] = { { "data", "animals.tar" },
                                            { "machine", "avx2, 2 threads" } };
    static const uint64_t confusion[CLASSES * CLASSES] = { 8, 2, 0, 1, 9, 0, 3, 0, 7 };
    *s = (sample){ 0 };
    for (int i = 0; i < EPOCHS; i++)
        s->epochs[i] = (dp_report_epoch){ .epoch = i + 1,
                                          .seconds = 10 * (i + 1),
                                          .rate = 0.01 / (i + 1),
                                          .images_per_second = 100 + i,
                                          .gradient_norm = 3,
                                          .train_losses = { 1.5 - i * 0.25, 2, 2.5 },
                                          .train_loss = 2.85,
                                          .train_top1 = 0.5,
                                          .val_losses = { 1.25, 1.75, 2.25 },
                                          .val_top1 = 0.75 + i * 0.0625,
                                          .val_top5 = 1,
                                          .best = i == 1 };
    memcpy(s->confusion, confusion, sizeof confusion);
    for (size_t i = 0; i < sizeof s->pixels; i++)
        s->pixels[i] = (uint8_t)(i * 37 >> 2);
    s->mistake =
        (dp_report_mistake){ .path = "owl/3.jpg",
                             .label = 2,
                             .predicted = 0,
                             .probability = 0.875,
                             .thumbnail = { .width = SIDE, .height = SIDE, .pixels = s->pixels } };
    s->report = (dp_report){ .title = "animals",
                             .command = "deeper train --data animals.tar",
                             .facts = facts,
                             .fact_count = 2,
                             .heads = 3,
                             .head_names = { "main", "aux1", "aux2" },
                             .epochs = s->epochs,
                             .epoch_count = EPOCHS,
                             .classes = classes,
                             .class_count = CLASSES,
                             .confusion = s->confusion,
                             .mistakes = &s->mistake,
                             .mistake_count = 1 };
}

/* The page of a report as text (malloc). */
static char *page_of(const dp_report *report) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    size_t size = 0;
    test_path(path, folder, "report.html");
    assert_int_equal(dp_report_write_html(report, path, NULL, &error), DEEPER_OK);
    char *page = test_read(path, &size);
    assert_non_null(page);
    assert_int_equal(strlen(page), size);
    assert_int_equal(test_folder_count(folder), 1);
    test_folder_remove(folder);
    return page;
}

/* ---------------------------------------------------------------------------------- small parts */

/* RFC 3720 B.4, and the check value of the CRC catalogue. */
static void test_crc32c(void **state) {
    unsigned char bytes[32];
    assert_int_equal(dp_crc32c("", 0), 0);
    assert_int_equal(dp_crc32c("123456789", 9), 0xE3069283);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(dp_crc32c(bytes, 32), 0x8A9136AA);
    memset(bytes, 0xFF, sizeof bytes);
    assert_int_equal(dp_crc32c(bytes, 32), 0x62A8AB43);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    assert_int_equal(dp_crc32c(bytes, 32), 0x46DD794E);
}

static void assert_markup(void (*put)(dp_buffer *, const char *), const char *text,
                          const char *expected) {
    dp_buffer buffer;
    dp_buffer_init(&buffer, NULL, 4096);
    dp_buffer_append(&buffer, "", 0);
    put(&buffer, text);
    assert_string_equal(buffer.data, expected);
    dp_buffer_free(&buffer);
}

#define BAD "\xEF\xBF\xBD"

static void test_text(void **state) {
    assert_markup(dp_markup_text, NULL, "");
    assert_markup(dp_markup_text, "a<b>&\"'c", "a&lt;b&gt;&amp;&quot;&#39;c");
    assert_markup(dp_markup_plain, "a<b>&\"'c", "a<b>&\"'c");
    assert_markup(dp_markup_text, "\xEC\xA7\x80\xEB\x8B\xA8 \xF0\x9F\x8C\xBB\n\t.",
                  "\xEC\xA7\x80\xEB\x8B\xA8 \xF0\x9F\x8C\xBB\n\t.");
    assert_markup(dp_markup_text, "\xFF<", BAD "&lt;");
    assert_markup(dp_markup_text, "\xC0\xBC", BAD BAD);         /* < in two bytes */
    assert_markup(dp_markup_text, "\xED\xA0\x80", BAD BAD BAD); /* half of a surrogate pair */
    assert_markup(dp_markup_text, "\xEC\xA7<",
                  BAD BAD "&lt;"); /* cut short before what must not be eaten */
    assert_markup(dp_markup_text, "\xF0\x9F\x8C", BAD BAD BAD); /* cut short by the end */
    assert_markup(dp_markup_plain, "a\x01\x7F\x1B", "a" BAD BAD BAD);
}

/* RFC 4648, 10. */
static void test_base64(void **state) {
    static const char *const pairs[][2] = { { "", "" },
                                            { "f", "Zg==" },
                                            { "fo", "Zm8=" },
                                            { "foo", "Zm9v" },
                                            { "foob", "Zm9vYg==" },
                                            { "fooba", "Zm9vYmE=" },
                                            { "foobar", "Zm9vYmFy" },
                                            { "\xFB\xEF\xFF", "++//" } };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        dp_buffer buffer;
        dp_buffer_init(&buffer, NULL, 4096);
        dp_buffer_append(&buffer, "", 0);
        dp_markup_base64(&buffer, pairs[i][0], strlen(pairs[i][0]));
        assert_string_equal(buffer.data, pairs[i][1]);
        dp_buffer_free(&buffer);
    }
}

/* ---------------------------------------------------------------------------------- log, events */

static char *csv_of(const dp_report *report) {
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    size_t size = 0;
    test_path(path, folder, "log.csv");
    assert_int_equal(dp_report_write_csv(report, path, NULL, NULL), DEEPER_OK);
    char *text = test_read(path, &size);
    assert_non_null(text);
    test_folder_remove(folder);
    return text;
}

static void test_csv(void **state) {
    sample s;
    make(&s);
    s.report.heads = 2;
    s.epochs[0].val_top5 = NAN;
    s.epochs[1].train_loss = INFINITY;
    s.epochs[2].train_loss = -INFINITY;
    s.report.warnings = (const dp_report_warning[]){ { 2, "a, \"b\"" }, { 2, "c" } };
    s.report.warning_count = 2;
    char *text = csv_of(&s.report);
    assert_string_equal(text,
                        "epoch,seconds,learning_rate,images_per_second,gradient_norm,train_"
                        "loss,train_loss_main,train_loss_aux1,"
                        "train_top1,val_loss_main,val_loss_aux1,val_top1,val_top5,best,warnings\n"
                        "1,10,0.01,100,3,2.85,1.5,2,0.5,1.25,1.75,0.75,nan,0,\n"
                        "2,20,0.005,101,3,inf,1.25,2,0.5,1.25,1.75,0.8125,1,1,\"a, \"\"b\"\"; c\"\n"
                        "3,30,0.00333333333,102,3,-inf,1,2,0.5,1.25,1.75,0.875,1,0,\n");
    free(text);
    s.report.heads = 1;
    s.report.epoch_count = 0;
    s.report.head_names[0] = "a,\"b\"";
    text = csv_of(&s.report);
    assert_string_equal(text,
                        "epoch,seconds,learning_rate,images_per_second,gradient_norm,train_"
                        "loss,\"train_loss_a,\"\"b\"\"\","
                        "train_top1,\"val_loss_a,\"\"b\"\"\",val_top1,val_top5,best,warnings\n");
    free(text);
}

/* A caller whose locale writes 0,5 gets the same bytes, and keeps its locale. */
static void test_locale(void **state) {
    sample s;
    make(&s);
    test_comma_enter();
    char *other_page = page_of(&s.report), *other_log = csv_of(&s.report);
    bool kept = localeconv()->decimal_point[0] == ',';
    test_comma_leave();
    char *page = page_of(&s.report), *log = csv_of(&s.report);
    assert_true(kept);
    assert_string_equal(page, other_page);
    assert_string_equal(log, other_log);
    free(page);
    free(log);
    free(other_page);
    free(other_log);
}

static uint64_t little(const unsigned char *bytes, size_t size) {
    uint64_t value = 0;
    while (size-- > 0)
        value = value << 8 | bytes[size];
    return value;
}

/* The reverse of the mask. */
static uint32_t unmask(uint64_t masked) {
    uint32_t rotated = (uint32_t)masked - 0xA282EAD8u;
    return rotated >> 17 | rotated << 15;
}

/* The record at *at, which moves past it. */
static Tensorboard__Event *next_event(const unsigned char **at, const unsigned char *end) {
    assert_true(end - *at >= 16);
    uint64_t size = little(*at, 8);
    assert_int_equal(unmask(little(*at + 8, 4)), dp_crc32c(*at, 8));
    assert_true(size <= (uint64_t)(end - *at) - 16);
    const unsigned char *packed = *at + 12;
    assert_int_equal(unmask(little(packed + size, 4)), dp_crc32c(packed, (size_t)size));
    *at = packed + size + 4;
    Tensorboard__Event *event = tensorboard__event__unpack(NULL, (size_t)size, packed);
    assert_non_null(event);
    return event;
}

static void test_events(void **state) {
    static const char *const tags[] = {
        "run/seconds", "run/learning_rate", "run/images_per_second", "run/gradient_norm",
        "train/loss",  "train/loss_main",   "train/loss_aux1",       "train/loss_aux2",
        "train/top1",  "val/loss_main",     "val/loss_aux1",         "val/loss_aux2",
        "val/top1",    "val/top5"
    };
    /* As TensorFlow's own files begin: a first record of 24 bytes and the masked CRC of that
     * length. */
    static const unsigned char head[] = { 24, 0, 0, 0, 0, 0, 0, 0, 0xA3, 0x7F, 0x4B, 0x22 };
    sample s;
    make(&s);
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    size_t size = 0;
    test_path(path, folder, "events.out.tfevents.deeper");
    assert_int_equal(dp_report_write_events(&s.report, 1.5e9, path, NULL, NULL), DEEPER_OK);
    unsigned char *bytes = (unsigned char *)test_read(path, &size);
    const unsigned char *at = bytes, *end = bytes + size;
    assert_memory_equal(bytes, head, sizeof head);
    Tensorboard__Event *event = next_event(&at, end);
    assert_string_equal(event->file_version, "brain.Event:2");
    assert_true(event->wall_time == 1.5e9);
    tensorboard__event__free_unpacked(event, NULL);
    for (int i = 0; i < EPOCHS; i++) {
        event = next_event(&at, end);
        assert_int_equal(event->step, i + 1);
        assert_true(event->wall_time == 1.5e9 + 10 * (i + 1));
        assert_int_equal(event->summary->n_value, sizeof tags / sizeof *tags);
        for (size_t k = 0; k < event->summary->n_value; k++)
            assert_string_equal(event->summary->value[k]->tag, tags[k]);
        assert_true(event->summary->value[5]->simple_value == 1.5f - 0.25f * (float)i);
        assert_true(event->summary->value[12]->simple_value == 0.75f + 0.0625f * (float)i);
        tensorboard__event__free_unpacked(event, NULL);
    }
    assert_ptr_equal(at, end);
    free(bytes);
    test_folder_remove(folder);
}

/* ----------------------------------------------------------------------------------------- page */

static void test_page(void **state) {
    sample s;
    make(&s);
    char *page = page_of(&s.report);
    test_check_markup(page);
    assert_int_equal(test_occurrences(page, "<figure class=\"plot\">"), 4);
    assert_int_equal(test_occurrences(page, "<h1>animals</h1>"), 1);
    assert_int_equal(test_occurrences(page, "<title>animals</title>"), 1);
    assert_int_equal(test_occurrences(page, ">81.25 %<small>best epoch"), 1);
    assert_int_equal(test_occurrences(page, "Validation top-5"), 0); /* says nothing of 3 classes */
    assert_int_equal(test_occurrences(page, ">30<small>6 wrong"), 1);
    assert_int_equal(test_occurrences(page, ">3<small>best: 2<"), 1);
    assert_int_equal(test_occurrences(page, ">30 s<small>101 images/s"), 1);
    assert_int_equal(test_occurrences(page, "<pre>deeper train --data animals.tar</pre>"), 1);
    assert_int_equal(
        test_occurrences(page, "<th scope=\"row\">machine</th><td>avx2, 2 threads</td>"), 1);
    assert_int_equal(
        test_occurrences(page, "<b>cat</b> 87.50 %<br>true: owl<small>owl/3.jpg</small>"), 1);
    free(page);
}

static void test_hostile_names(void **state) {
    static const char *const classes[CLASSES] = { HOSTILE, "", NULL };
    static const char *const facts[][2] = { { HOSTILE, HOSTILE }, { "a", NULL } };
    sample s;
    make(&s);
    s.report.title = s.report.command = s.mistake.path = HOSTILE;
    s.report.head_names[0] = s.report.head_names[2] = HOSTILE;
    s.report.classes = classes;
    s.report.facts = facts;
    s.mistake.label = 99; /* no such class */
    s.mistake.predicted = 0;
    char *page = page_of(&s.report);
    test_check_markup(page);
    assert_int_equal(test_occurrences(page, "<script"), 0);
    assert_true(test_occurrences(page, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;") > 10);
    assert_int_equal(test_occurrences(page, "true: class 99"), 1);
    free(page);
}

/* A run that has just begun, one without heads' names, pictures or commands: each part is left out,
 * not broken. */
static void test_little_to_say(void **state) {
    sample s;
    make(&s);
    s.report = (dp_report){ 0 };
    char *page = page_of(&s.report);
    test_check_markup(page);
    assert_int_equal(test_occurrences(page, "<figure") + test_occurrences(page, "<table"), 0);
    free(page);
    make(&s);
    s.report.heads = 99; /* as many as there can be */
    s.report.epoch_count = 1;
    s.mistake.thumbnail = (dp_image){ 0 };
    s.epochs[0] = (dp_report_epoch){
        .epoch = 1, .seconds = NAN, .images_per_second = INFINITY, .val_top1 = NAN
    };
    memset(s.confusion, 0, sizeof s.confusion);
    page = page_of(&s.report);
    test_check_markup(page);
    assert_int_equal(test_occurrences(page, "<img"), 0);
    assert_int_equal(test_occurrences(page, "every picture was recognised"), 1);
    assert_int_equal(test_occurrences(page, "nan") + test_occurrences(page, ">inf<"), 0);
    free(page);
}

static int digit(char letter) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *place = letter ? strchr(digits, letter) : NULL;
    return place ? (int)(place - digits) : -1;
}

static void test_thumbnail(void **state) {
    sample s;
    make(&s);
    char *page = page_of(&s.report);
    const char *at = strstr(page, "<img alt=\"\" class=\"pixels\" src=\"data:image/png;base64,");
    assert_non_null(at);
    at = strstr(at, "base64,") + 7;
    size_t length = strcspn(at, "\""), size = 0;
    assert_int_equal(length % 4, 0);
    unsigned char *png = malloc(length);
    for (size_t i = 0; i < length; i += 4) {
        int a = digit(at[i]), b = digit(at[i + 1]), c = digit(at[i + 2]), d = digit(at[i + 3]);
        assert_true(a >= 0 && b >= 0);
        png[size++] = (unsigned char)(a << 2 | b >> 4);
        if (c >= 0)
            png[size++] = (unsigned char)(b << 4 | c >> 2);
        if (d >= 0)
            png[size++] = (unsigned char)(c << 6 | d);
    }
    dp_image back;
    assert_int_equal(dp_image_decode(&back, png, size, "thumbnail", NULL, NULL, NULL), DEEPER_OK);
    assert_int_equal(back.width, SIDE);
    assert_int_equal(back.height, SIDE);
    assert_memory_equal(back.pixels, s.pixels, sizeof s.pixels);
    dp_image_free(&back);
    free(png);
    free(page);
}

/* ------------------------------------------------------------------------------------ confusion */

/* cat 8 2 0, dog 1 9 0, owl 3 0 7: cat has precision 8/12, recall 8/10, F1 16/22; dog 9/11, 9/10,
 * 18/21; owl 7/7, 7/10, 14/17. */
static void test_confusion(void **state) {
    sample s;
    make(&s);
    char *page = page_of(&s.report);
    assert_int_equal(test_occurrences(page, "title=\"owl as cat: 3 of 10, 30.0 %\">3</td>"), 1);
    assert_int_equal(test_occurrences(page, "title=\"dog as dog: 9 of 10, 90.0 %\">9</td>"), 1);
    const char *cat = strstr(page, "<td>cat</td><td class=\"n\">10</td>"),
               *owl = strstr(page, "<td>owl</td><td class=\"n\">10</td>"),
               *dog = strstr(page, "<td>dog</td><td class=\"n\">10</td>");
    assert_true(cat && owl && dog && cat < owl && owl < dog); /* the weakest first */
    const char *precision = strstr(cat, ">66.7 %<"), *recall = strstr(cat, ">80.0 %<"),
               *f1 = strstr(cat, ">0.727<");
    assert_true(precision && precision < recall && recall < f1 && f1 < owl);
    const char *first = strstr(page, "<td>owl</td><td>cat</td><td class=\"n\">3</td>"),
               *second = strstr(page, "<td>cat</td><td>dog</td><td class=\"n\">2</td>"),
               *third = strstr(page, "<td>dog</td><td>cat</td><td class=\"n\">1</td>");
    assert_true(first && first < second && second < third);
    free(page);
}

/* 20 answers with 0.9 to 1, of which 15 are right, 5 with 0.4 to 0.5, of which 2 are; |15 - 19| +
 * |2 - 2.25| of 25 is 17 %. The interval of 17 of 25 by the formula: 48.4 to 82.8 %. */
static void test_measured(void **state) {
    sample s;
    make(&s);
    dp_report_measured measured = { .images = 25, .top1 = 17, .top5 = 25, .loss = 0.5 };
    for (int i = 0; i < 20; i++)
        dp_calibration_add(&measured.calibration, 0.95, i < 15);
    for (int i = 0; i < 5; i++)
        dp_calibration_add(&measured.calibration, 0.45, i < 2);
    const deeper_score rows[] = {
        { .model = "a<b",
          .models = 1,
          .crops = 1,
          .base = 1,
          .images = 25,
          .top1 = 17,
          .top5 = 25 },
        { .models = 2, .crops = 10, .images = 25, .top1 = 22, .top1_gain = 0.2, .top1_p = 0.04 }
    };
    s.report.measured = &measured;
    s.report.scores = rows;
    s.report.score_count = 2;
    for (int evaluation = 0; evaluation < 2; evaluation++) {
        if (evaluation)
            s.report.epoch_count = 0;
        char *page = page_of(&s.report);
        test_check_markup(page);
        assert_int_equal(test_occurrences(page, "Expected calibration error 17.00 %"), 1);
        assert_int_equal(test_occurrences(page, ">75.0 %</td>"), 1);
        assert_int_equal(test_occurrences(page, "<td>a&lt;b</td>"), 1);
        assert_int_equal(test_occurrences(page, "<td>all 2, averaged</td>"), 1);
        assert_int_equal(test_occurrences(page, "<b>-20.00 *</b>"), 1);
        assert_int_equal(test_occurrences(page, "<small>95 %: 48.4 to 82.8 %</small>"), evaluation);
        assert_int_equal(test_occurrences(page, "No epoch"), 0);
        free(page);
    }
}

/* A class that has no pictures and is never predicted has no figures. */
static void test_class_without_pictures(void **state) {
    sample s;
    make(&s);
    for (size_t i = 0; i < CLASSES; i++)
        s.confusion[2 * CLASSES + i] = s.confusion[i * CLASSES + 2] = 0;
    char *page = page_of(&s.report);
    test_check_markup(page);
    const char *owl = strstr(page, "<td>owl</td><td class=\"n\">0</td>");
    assert_non_null(owl);
    assert_true(owl > strstr(page, "<td>dog</td><td class=\"n\">10</td>"));
    assert_int_equal(test_occurrences(owl, "<td class=\"bar\" style=\"--v:0\">\xE2\x80\x93</td>"),
                     2);
    assert_int_equal(test_occurrences(owl, "<td class=\"n\">\xE2\x80\x93</td>"), 1);
    free(page);
}

/* Up to 60 classes a table, above only pairs, at most 40. Errors of every size, each once: the most
 * frequent must be the ones shown. */
static void test_many_classes(void **state) {
    sample s;
    make(&s);
    for (size_t count = 60; count <= 61; count++) {
        uint64_t *confusion = calloc(count * count, sizeof *confusion);
        for (size_t i = 0; i + 1 < count; i++)
            confusion[i * count + (i * 7 + 1 == i ? 0 : (i + 1))] = 100 + i * 17 % count;
        s.report.confusion = confusion;
        s.report.class_count = count;
        s.report.classes = NULL;
        char *page = page_of(&s.report);
        test_check_markup(page);
        assert_int_equal(test_occurrences(page, "<table class=\"heat"), count == 60);
        assert_int_equal(test_occurrences(page, "Validation top-5"), 1);
        const char *pairs = strstr(page, "Most confused pairs"), *end = strstr(pairs, "</table>");
        size_t rows = 0, last = SIZE_MAX;
        for (const char *at = pairs; (at = strstr(at, "<td class=\"n\">")) && at < end; rows++) {
            at += strlen("<td class=\"n\">");
            size_t shown = strtoul(at, NULL, 10);
            assert_true(shown <= last);
            last = shown;
        }
        assert_int_equal(rows, count == 60 ? 10 : 40);
        size_t above = 0;
        for (size_t i = 0; i < count * count; i++)
            above += confusion[i] > last;
        assert_true(above < rows);
        free(page);
        free(confusion);
    }
}

/* -------------------------------------------------------------------------------------- trouble */

typedef deeper_status write_call(const dp_report *report, const char *path,
                                 const deeper_allocator *allocator, deeper_error *error);

static deeper_status write_events(const dp_report *report, const char *path,
                                  const deeper_allocator *allocator, deeper_error *error) {
    return dp_report_write_events(report, 0, path, allocator, error);
}

static write_call *const calls[] = { dp_report_write_html, dp_report_write_csv, write_events };

static void test_memory(void **state) {
    sample s;
    make(&s);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        char *folder = test_folder(), path[TEST_PATH_SIZE];
        test_path(path, folder, "file");
        test_write(path, "old", 3);
        for (long n = 1, done = 0; !done; n++) {
            test_failing_allocator failing;
            test_failing_allocator_init(&failing, n);
            deeper_error error = { 0 };
            deeper_status status = calls[i](&s.report, path, &failing.allocator, &error);
            done = failing.calls < n;
            assert_int_equal(failing.outstanding, 0);
            assert_int_equal(test_folder_count(folder), 1);
            size_t size = 0;
            char *text = test_read(path, &size);
            if (done) {
                assert_int_equal(status, DEEPER_OK);
                assert_true(size > 3);
            } else {
                assert_int_equal(status, DEEPER_ERROR_MEMORY);
                assert_true(error.message[0] != '\0');
                assert_string_equal(text, "old");
            }
            free(text);
        }
        test_folder_remove(folder);
    }
}

static void test_no_place(void **state) {
    sample s;
    make(&s);
    char *folder = test_folder(), path[TEST_PATH_SIZE];
    test_path(path, folder, "missing/file");
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        deeper_error error = { 0 };
        assert_int_equal(calls[i](&s.report, path, NULL, &error), DEEPER_ERROR_IO);
        assert_memory_equal(error.message, path, strlen(path));
    }
    test_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc32c),        cmocka_unit_test(test_text),
        cmocka_unit_test(test_base64),        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_locale),        cmocka_unit_test(test_events),
        cmocka_unit_test(test_page),          cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_little_to_say), cmocka_unit_test(test_thumbnail),
        cmocka_unit_test(test_confusion),     cmocka_unit_test(test_class_without_pictures),
        cmocka_unit_test(test_measured),      cmocka_unit_test(test_many_classes),
        cmocka_unit_test(test_memory),        cmocka_unit_test(test_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
