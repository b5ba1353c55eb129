/* test_boxes.c - sets with boxes of every form: the same boxes come out of each; every fault is
 * named, counted and left out; parts, photos held out, detections of every form, memory that fails.
 */
#include "helpers/helpers.h"

#include <deeper/deeper.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char *folder;

static void put(const char *name, const char *text) {
    char path[TEST_PATH_SIZE];
    test_path(path, folder, name);
    for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    test_write(path, text, strlen(text));
}

/* A picture of 100 x 50 grey pixels. */
static void put_photo(const char *name) {
    static char pixels[32 + 5000];
    char path[TEST_PATH_SIZE];
    put(name, "");
    test_path(path, folder, name);
    const int head = snprintf(pixels, sizeof pixels, "P5\n100 50\n255\n");
    memset(pixels + head, 'x', 5000);
    test_write(path, pixels, (size_t)head + 5000);
}

static char last[DEEPER_MESSAGE_SIZE];
static void problem(void *context, const char *message) {
    snprintf(last, sizeof last, "%s", message);
}

static deeper_boxes *open_set(const char *name, const char *part) {
    deeper_boxes *boxes = NULL;
    deeper_error error = { 0 };
    char path[TEST_PATH_SIZE];
    deeper_boxes_options options = DEEPER_BOXES_OPTIONS_INIT;
    options.part = part;
    options.problem = problem;
    last[0] = '\0';
    test_path(path, folder, name);
    if (deeper_boxes_open(&boxes, path, &options, &error))
        fail_msg("%s", error.message);
    return boxes;
}

static size_t fault(const deeper_boxes *boxes, const char *name) {
    deeper_box_fault kind = { 0 };
    for (size_t i = 0; !deeper_boxes_fault(boxes, i, &kind, sizeof kind, NULL); i++)
        if (!strcmp(kind.name, name))
            return kind.count;
    fail_msg("no fault %s", name);
    return 0;
}

static size_t faults(const deeper_boxes *boxes) {
    deeper_box_fault kind = { 0 };
    size_t all = 0;
    for (size_t i = 0; !deeper_boxes_fault(boxes, i, &kind, sizeof kind, NULL); i++)
        all += kind.count;
    return all;
}

#define VOC_OBJECT(name_, more_, box_)                                                             \
    "<object><name>" name_ "</name>" more_ "<bndbox>" box_ "</bndbox></object>"
#define VOC_BOX(a_, b_, c_, d_)                                                                    \
    "<xmin>" a_ "</xmin><ymin>" b_ "</ymin><xmax>" c_ "</xmax><ymax>" d_ "</ymax>"
#define VOC_SIZE "<size><width>100</width><height>50</height></size>"

/* Each form says: photo a with a cat of pixels 10..29 x 5..24 and a dog of 0..99 x 0..49, photo b
 * with nothing. */
static void write_forms(void) {
    put_photo("voc/JPEGImages/a.pgm");
    put_photo("voc/JPEGImages/b.pgm");
    put("voc/Annotations/a.xml",
        "<annotation>" VOC_SIZE VOC_OBJECT("cat", "<difficult>1</difficult>",
                                           VOC_BOX("11", "6", "30", "25"))
            VOC_OBJECT(
                "dog",
                "<part><name>head</name><bndbox>" VOC_BOX("1", "1", "2", "2") "</bndbox></part>",
                VOC_BOX("1", "1", "100", "50")) "</annotation>");
    put("voc/Annotations/b.xml", "<annotation>" VOC_SIZE "</annotation>");
    put("voc/ImageSets/Main/train.txt", "a\n");
    put("voc/ImageSets/Main/val.txt", "b\n");
    put("voc/ImageSets/Main/cat_val.txt", "b -1\n");
    put_photo("coco/images/a.pgm");
    put_photo("coco/images/b.pgm");
    put("coco/instances.json",
        "{\"annotations\": [{\"id\": 8, \"image_id\": 3, \"category_id\": 9, \"bbox\": [10, 5, 20, "
        "20], \"iscrowd\": 0, \"area\": 400, \"segmentation\": [[1, 2, 3, 4]]}, {\"id\": 2, "
        "\"image_id\": 3, \"category_id\": 40, \"bbox\": [0.0, 0, 100, 50]}], \"images\": "
        "[{\"id\": "
        "70, \"file_name\": \"b.pgm\", \"width\": 100, \"height\": 50}, {\"id\": 3, \"file_name\": "
        "\"a.pgm\", \"width\": 100, \"height\": 50}], \"categories\": [{\"id\": 40, \"name\": "
        "\"dog\"}, {\"id\": 9, \"name\": \"cat\"}]}");
    put_photo("yolo/train/images/a.pgm");
    put_photo("yolo/valid/images/b.pgm");
    put("yolo/train/labels/a.txt", "0 0.2 0.3 0.2 0.4\r\n1 0.5 0.5 1 1\n");
    put("yolo/data.yaml", "train: ../train/images\nval: valid/images\nnames: ['cat', 'dog']\n");
    put_photo("csv/a.pgm");
    put_photo("csv/b.pgm");
    put("csv/_annotations.csv", "filename,width,height,class,xmin,ymin,xmax,ymax\n"
                                "a.pgm,100,50,cat,10,5,30,25\na.pgm,100,50,dog,0,0,100,50\n"
                                "b.pgm,100,50,,,,,\n");
    put("plain/boxes.csv", "a.pgm,10,5,30,25,cat\na.pgm,0,0,100,50,dog\nb.pgm,,,,,\n");
    put("window.txt", "# 0\na.pgm\n3\n50\n100\n3\n1 1 10 5 29 24\n0 0.3 1 1 9 9\n2 1 0 0 99 49\n"
                      "# 1\nb.pgm\n3\n50\n100\n0\n");
}

static void forms(void **state) {
    static const struct {
        const char *path, *form, *cat;
    } cases[] = { { "voc", "voc", "cat" },
                  { "coco", "coco", "cat" },
                  { "yolo", "yolo", "cat" },
                  { "csv", "csv", "cat" },
                  { "plain", "csv", "cat" },
                  { "window.txt", "window", "1" },
                  { "coco/instances.json", "coco", "cat" },
                  { "yolo/data.yaml", "yolo", "cat" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        deeper_boxes *boxes = open_set(cases[i].path, "all");
        deeper_boxed_photo photo = { 0 };
        size_t count = 0;
        const deeper_truth *truth = deeper_boxes_truth(boxes, &count);
        assert_string_equal(deeper_boxes_text(boxes, "form"), cases[i].form);
        assert_int_equal(deeper_boxes_photos(boxes), 2);
        assert_int_equal(deeper_boxes_classes(boxes), 2);
        assert_string_equal(deeper_boxes_class(boxes, 0), cases[i].cat);
        assert_int_equal(count, 2);
        assert_int_equal(faults(boxes), 0);
        for (size_t k = 0; k < 2; k++) {
            static const deeper_box expected[] = { { 10, 5, 20, 20 }, { 0, 0, 100, 50 } };
            assert_true(fabs(truth[k].box.x - expected[k].x) < 1e-9);
            assert_true(fabs(truth[k].box.y - expected[k].y) < 1e-9);
            assert_true(fabs(truth[k].box.width - expected[k].width) < 1e-9);
            assert_true(fabs(truth[k].box.height - expected[k].height) < 1e-9);
            assert_int_equal(truth[k].class_index, k);
            assert_true(fabs(truth[k].area - expected[k].width * expected[k].height) < 1e-6);
        }
        assert_int_equal(truth[0].difficult, !strcmp(cases[i].form, "voc"));
        deeper_boxes_photo(boxes, 0, &photo, sizeof photo, NULL);
        assert_non_null(strstr(photo.path, "a.pgm"));
        assert_int_equal(photo.count, 2);
        deeper_boxes_photo(boxes, 1, &photo, sizeof photo, NULL);
        assert_int_equal(photo.count, 0);
        deeper_boxes_close(boxes);
    }
}

static void parts(void **state) {
    deeper_boxes *boxes = open_set("voc", NULL);
    assert_string_equal(deeper_boxes_text(boxes, "part"), "val");
    assert_int_equal(deeper_boxes_photos(boxes), 1);
    assert_string_equal(deeper_boxes_part(boxes, 0), "train");
    assert_null(deeper_boxes_part(boxes, 2));
    deeper_boxes_close(boxes);
    boxes = open_set("yolo", "train");
    assert_int_equal(deeper_boxes_photos(boxes), 1);
    deeper_boxes_close(boxes);
    char path[TEST_PATH_SIZE];
    deeper_error error = { 0 };
    deeper_boxes_options options = DEEPER_BOXES_OPTIONS_INIT;
    options.part = "tset";
    test_path(path, folder, "voc");
    assert_int_equal(deeper_boxes_open(&boxes, path, &options, &error), DEEPER_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "train, val"));
    put("none/readme", "");
    test_path(path, folder, "none");
    assert_int_equal(deeper_boxes_open(&boxes, path, NULL, &error), DEEPER_ERROR_FORMAT);
    assert_false(deeper_boxes_at(path));
    assert_int_equal(deeper_boxes_open(&boxes, "/nowhere", NULL, &error), DEEPER_ERROR_IO);
}

/* Photos held out and the others are all of them, the same for the same seed. */
static void held_out(void **state) {
    char text[8192] = "filename,class,xmin,ymin,xmax,ymax\n", path[TEST_PATH_SIZE];
    for (int i = 0; i < 40; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d.jpg,c,%d,0,90,9\n", i, i);
    put("many.csv", text);
    test_path(path, folder, "many.csv");
    for (int out = 0; out <= 1; out++) {
        deeper_boxes *boxes = NULL;
        deeper_boxes_options options = DEEPER_BOXES_OPTIONS_INIT;
        options.fraction = 0.25;
        options.held_out = out;
        size_t count = 0;
        assert_int_equal(deeper_boxes_open(&boxes, path, &options, NULL), DEEPER_OK);
        const deeper_truth *truth = deeper_boxes_truth(boxes, &count);
        assert_int_equal(deeper_boxes_photos(boxes), out ? 10 : 30);
        assert_int_equal(count, out ? 10 : 30);
        for (size_t i = 0; i < count; i++) {
            deeper_boxed_photo photo = { 0 };
            assert_int_equal(truth[i].image, i);
            deeper_boxes_photo(boxes, i, &photo, sizeof photo, NULL);
            const char *slash = strrchr(photo.path, '/');
            assert_int_equal(atoi(slash + 1), (int)truth[i].box.x);
        }
        deeper_boxes_close(boxes);
    }
}

/* Each fault: a set, the fault's name, how many, what is said, how many boxes are left. */
static void named(void **state) {
    static const struct {
        const char *file, *text, *fault;
        size_t count;
        const char *says;
        size_t left;
    } cases[] = {
        { "f.csv", "filename,class,xmin,ymin,xmax,ymax\na,c,1,1,nan,2\na,c,1,1,2,2\n", "impossible",
          1, "f.csv:2", 1 },
        { "f.csv", "filename,class,xmin,ymin,xmax,ymax\na,c,5,1,2,2\n", "impossible", 1, "f.csv:2",
          0 },
        { "f.csv", "filename,class,xmin,ymin,xmax,ymax\na,c,5,1,5,2\n", "empty", 1, "0 x 1", 1 },
        { "f.csv", "filename,class,xmin,ymin,xmax,ymax\na,c,1,1,2,2\na,c,1,1,2,2\n", "repeated", 1,
          "twice", 2 },
        { "f.csv", "filename,class,xmin,ymin,xmax,ymax,width,height\na,c,1,1,2,9,5,5\n", "outside",
          1, "reaches out of the 5 x 5 photo", 1 },
        { "f.csv", "filename,class,xmin,ymin,xmax,ymax\na,,1,1,2,2\n,c,1,1,2,2\n", "malformed", 1,
          "f.csv:3", 0 },
        { "f.json",
          "{\"images\":[{\"id\":1,\"file_name\":\"a\"},{\"id\":1,\"file_name\":\"b\"}],"
          "\"categories\":[{\"id\":1,\"name\":\"c\"}],\"annotations\":[{\"id\":1,"
          "\"image_id\":1,\"category_id\":1,\"bbox\":[0,0,1,1]}]}",
          "repeated_id", 1, "images[1]: id 1", 1 },
        { "f.json",
          "{\"images\":[{\"id\":1,\"file_name\":\"a\"}],\"categories\":[{\"id\":1,\"name\":"
          "\"c\"}],\"annotations\":[{\"id\":1,\"image_id\":2,\"category_id\":1,\"bbox\":[0,"
          "0,1,1]}]}",
          "unknown_photo", 1, "annotations[0]", 0 },
        { "f.json",
          "{\"images\":[{\"id\":1,\"file_name\":\"a\"}],\"categories\":[{\"id\":1,\"name\":"
          "\"c\"}],\"annotations\":[{\"id\":1,\"image_id\":1,\"category_id\":2,\"bbox\":[0,"
          "0,1,1]}]}",
          "unknown_class", 1, "annotations[0]", 0 },
        { "f.txt", "# 0\na\n3\n5\n5\n2\n1 1 1 1 2 2\n1 1 1 1\n", "malformed", 1, "f.txt:8", 1 },
        { "f.txt", "# 0\na\n3\n5\n5\n0\nb\n", "unreadable", 1, "f.txt:7", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(cases[i].file, cases[i].text);
        deeper_boxes *boxes = open_set(cases[i].file, NULL);
        size_t count = 0;
        deeper_boxes_truth(boxes, &count);
        if (fault(boxes, cases[i].fault) != cases[i].count || count != cases[i].left
            || !strstr(last, cases[i].says))
            fail_msg("case %zu: %zu %s, %zu boxes, \"%s\"", i, fault(boxes, cases[i].fault),
                     cases[i].fault, count, last);
        deeper_boxes_close(boxes);
    }
}

/* Damaged XML, a document type (where entities would be) and YOLO's lines, photo by photo. */
static void files_of_photos(void **state) {
    put_photo("bad/JPEGImages/c.pgm");
    put("bad/Annotations/a.xml",
        "<annotation>" VOC_OBJECT("cat", "", VOC_BOX("1", "1", "2", "2")) "<object>");
    put("bad/Annotations/b.xml", "<!DOCTYPE a [<!ENTITY x 'yyyyyyyy'><!ENTITY z '&x;&x;'>]>"
                                 "<annotation>&z;</annotation>");
    put("bad/Annotations/c.xml",
        "<annotation>" VOC_OBJECT("", "", VOC_BOX("1", "1", "2", "2"))
            VOC_OBJECT("cat", "", VOC_BOX("1", "1", "2.5", "2")) "</annotation>");
    deeper_boxes *boxes = open_set("bad", NULL);
    size_t count = 0;
    assert_int_equal(fault(boxes, "unreadable"), 2);
    assert_int_equal(fault(boxes, "unknown_class"), 1);
    assert_true(deeper_boxes_truth(boxes, &count)->box.width == 2.5);
    assert_int_equal(count, 1);
    assert_int_equal(deeper_boxes_check_photos(boxes, NULL, NULL, NULL), DEEPER_OK);
    assert_int_equal(fault(boxes, "missing_photos"), 2);
    deeper_boxes_close(boxes);
    put_photo("lines/images/a.pgm");
    put("lines/images/b.png", "not a picture");
    put("lines/labels/b.txt", "0 .5 .5 1 1\n");
    put("lines/labels/a.txt",
        "0 .5 .5 1 1\n7 .5 .5 1 1\n1 .1 .2 .3 .2 .3 .6\n0 1 1\n0 .5 .5 x 1\n");
    put("lines/classes.txt", "cat\ndog\n");
    boxes = open_set("lines", NULL);
    assert_int_equal(fault(boxes, "unknown_class"), 1);
    assert_int_equal(fault(boxes, "polygons"), 1);
    assert_int_equal(fault(boxes, "malformed"), 2);
    assert_int_equal(fault(boxes, "damaged_photos"), 1);
    const deeper_truth *truth = deeper_boxes_truth(boxes, &count);
    assert_int_equal(count, 2);
    assert_true(fabs(truth[1].box.x - 10) < 1e-9 && fabs(truth[1].box.height - 20) < 1e-9);
    deeper_boxes_close(boxes);
}

static void detections(void **state) {
    static const struct {
        const char *set, *path, *text;
    } cases[] = {
        { "coco", "r.json",
          "[{\"image_id\":3,\"category_id\":9,\"bbox\":[10,5,20,20],\"score\":0.5},"
          "{\"image_id\":4,\"category_id\":9,\"bbox\":[1,2,3,4],\"score\":0.5}]" },
        { "voc", "r/comp4_det_val_cat.txt", "a 0.5 11 6 30 25\nz 0.5 1 1 2 2\n" },
        { "coco", "y/a.txt", "0 0.2 0.3 0.2 0.4 0.5\n9 0.5 0.5 1 1 1\n" },
        { "csv", "r.csv",
          "filename,class,xmin,ymin,xmax,ymax,score\na.pgm,cat,10,5,30,25,.5\n"
          "a.pgm,cow,1,1,2,2,.5\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        deeper_boxes *boxes = open_set(cases[i].set, "all");
        deeper_detections *results = NULL;
        deeper_error error = { 0 };
        char path[TEST_PATH_SIZE];
        size_t count = 0;
        put(cases[i].path, cases[i].text);
        test_path(path, folder, cases[i].path);
        if (cases[i].path[1] == '/')
            *strrchr(path, '/') = '\0';
        if (deeper_detections_open(&results, boxes, path, problem, NULL, NULL, &error))
            fail_msg("%s", error.message);
        const deeper_detection *d = deeper_detections_array(results, &count);
        assert_int_equal(count, 1);
        assert_int_equal(d->image, 0);
        assert_int_equal(d->class_index, 0);
        assert_true(d->score == 0.5 && fabs(d->box.x - 10) < 1e-9
                    && fabs(d->box.height - 20) < 1e-9);
        deeper_box_fault kind = { 0 };
        size_t all = 0;
        for (size_t k = 0; !deeper_detections_fault(results, k, &kind, sizeof kind, NULL); k++)
            all += kind.count;
        assert_int_equal(all, 1);
        deeper_detections_close(results);
        deeper_boxes_close(boxes);
    }
}

static void memory(void **state) {
    static const char *const sets[] = { "voc", "coco", "yolo", "csv", "window.txt" };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        for (long n = 1, done = 0; !done; n++) {
            test_failing_allocator failing;
            deeper_boxes *boxes = NULL;
            char path[TEST_PATH_SIZE];
            deeper_boxes_options options = DEEPER_BOXES_OPTIONS_INIT;
            test_failing_allocator_init(&failing, n);
            options.allocator = &failing.allocator;
            options.part = "all";
            test_path(path, folder, sets[i]);
            deeper_status status = deeper_boxes_open(&boxes, path, &options, NULL);
            done = failing.calls < n;
            assert_int_equal(status, done ? DEEPER_OK : DEEPER_ERROR_MEMORY);
            deeper_boxes_close(boxes);
            assert_int_equal(failing.outstanding, 0);
        }
}

static int begin(void **state) {
    folder = test_folder();
    write_forms();
    return 0;
}

static int end(void **state) {
    test_folder_remove(folder);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),  cmocka_unit_test(parts),           cmocka_unit_test(held_out),
        cmocka_unit_test(named),  cmocka_unit_test(files_of_photos), cmocka_unit_test(detections),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
