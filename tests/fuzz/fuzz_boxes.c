/* fuzz_boxes.c - any bytes as annotations or detections; the first byte says which form. Checked:
 * every box that is kept is of a photo and a class that are there, with finite numbers and sizes of
 * 0 or more, and a fault is counted, not an error of another kind than a file's.
 *
 * covers: src/data/read_csv.c src/data/read_coco.c src/data/read_window.c src/data/json_members.c
 * covers: src/data/box_table.c src/data/yolo_yaml.c */
#include "data/boxes_read.h"
#include "data/detections.h"
#include "data/yolo_yaml.h"
#include "helpers/fuzz.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check_box(const deeper_box *box, size_t image, size_t class_index, const dp_boxes *b) {
    fuzz_demand(image < b->photo_count && class_index < b->class_count);
    fuzz_demand(isfinite(box->x) && isfinite(box->y) && box->width >= 0 && box->height >= 0
                && box->width <= 1e9 && box->height <= 1e9);
}

/* A photo for the forms whose file is one photo's. */
static void add_photo(dp_boxes_reader *reader) {
    size_t photo = 0;
    fuzz_demand(dp_boxes_add_photo(reader, "images", "a.jpg", 7, &photo) == DEEPER_OK);
    reader->boxes->photos[photo].width = 100;
    reader->boxes->photos[photo].height = 50;
}

static deeper_status parse(dp_boxes_reader *reader, int form, const char *text, size_t size) {
    dp_yolo_yaml yaml;
    size_t class_index = 0;
    switch (form) {
    case 0:
        add_photo(reader);
        return dp_voc_parse(reader, 0, text, size, "a.xml");
    case 1:
        return dp_coco_parse(reader, text, size, "images", "a.json");
    case 2:
        add_photo(reader);
        return dp_yolo_parse(reader, 0, text, size, "a.txt");
    case 3:
        return dp_csv_parse(reader, text, size, "images", "a.csv");
    case 4:
        return dp_window_parse(reader, text, size, "images", "a.txt");
    case 5:
        return dp_yolo_yaml_parse(&yaml, reader, text, size, "data.yaml");
    default:
        add_photo(reader);
        return dp_boxes_class(reader, "cat", 3, 1, &class_index);
    }
}

static void detections(const dp_boxes *boxes, int form, const char *text, size_t size) {
    static const char *const names[] = { "results.json", "comp4_det_test_cat.txt", "a.txt" };
    dp_detections got;
    deeper_error error = { 0 };
    const deeper_status status =
        dp_detections_parse(&got, boxes, text, size, names[form % 3], NULL, &error);
    fuzz_demand(status == DEEPER_OK || (status == DEEPER_ERROR_FORMAT && error.message[0]));
    for (size_t i = 0; i < got.count; i++)
        check_box(&got.items[i].box, got.items[i].image, got.items[i].class_index, boxes);
    dp_detections_free(&got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    char *text = malloc(size); /* of this size, for the sanitizer to see what is read past it */
    fuzz_demand(text);
    memcpy(text, data + 1, size - 1);
    const int form = data[0] % 9;
    const dp_boxes_options options = { .part = NULL };
    dp_boxes boxes = { .format = "", .part = SIZE_MAX };
    deeper_error error = { 0 };
    dp_boxes_reader reader = { .boxes = &boxes, .options = &options, .error = &error };
    boxes.path = malloc(2);
    fuzz_demand(boxes.path);
    memcpy(boxes.path, "a", 2);
    dp_buffer_init(&boxes.text, NULL, UINT32_MAX);
    dp_name_index_init(&reader.classes, NULL);
    dp_name_index_init(&reader.photos, NULL);
    const deeper_status status = parse(&reader, form, text, size - 1);
    fuzz_demand(status == DEEPER_OK || status == DEEPER_ERROR_FORMAT || status == DEEPER_ERROR_LIMIT
                || status == DEEPER_ERROR_UNSUPPORTED);
    for (size_t i = 0; status == DEEPER_OK && i < boxes.box_count; i++)
        check_box(&boxes.boxes[i].box, boxes.boxes[i].image, boxes.boxes[i].class_index, &boxes);
    if (form >= 6)
        detections(&boxes, form, text, size - 1);
    dp_name_index_free(&reader.classes);
    dp_name_index_free(&reader.photos);
    dp_boxes_free(&boxes);
    free(text);
    return 0;
}
