/* read_coco.c - COCO's JSON: images, categories and annotations by ids that have gaps and come in
 * any order. Outlines and masks are not read: the box beside them is. Photos and classes are put in
 * the order of their ids, as COCO's own program does. */
#include "base/text.h"
#include "data/boxes_read.h"
#include "data/json_members.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CATEGORIES, IMAGES, ANNOTATIONS, MEMBERS };
static const char *const names[MEMBERS] = { "categories", "images", "annotations" };

typedef struct coco_file {
    dp_boxes_reader *reader;
    const char *text, *folder, *name;
    dp_name_index class_ids, annotation_ids;
} coco_file;

/* A whole number; false: it is none. */
static bool whole(const json_t *value, int64_t *number) {
    if (json_is_integer(value)) {
        *number = json_integer_value(value);
        return true;
    }
    if (!json_is_real(value) || fabs(json_real_value(value)) > 9e15
        || floor(json_real_value(value)) != json_real_value(value))
        return false;
    *number = (int64_t)json_real_value(value);
    return true;
}

static deeper_status no_memory(const coco_file *file) {
    return dp_fail_memory(file->reader->error, "the ids of a set");
}

/* An element's id that is not there yet, else a fault. *is_new: it is. */
static deeper_status take_id(coco_file *file, dp_name_index *ids, const json_t *element,
                             size_t number, const char *where, int64_t *id, bool *is_new) {
    size_t known = 0;
    *is_new = false;
    if (!whole(json_object_get(element, "id"), id)) {
        dp_boxes_fault(file->reader->boxes, DP_BOX_ENTRY, "%s: has no whole number as id", where);
        return DEEPER_OK;
    }
    if (dp_name_index_get(ids, id, sizeof *id, &known)) {
        dp_boxes_fault(file->reader->boxes, DP_BOX_REPEATED_ID, "%s: id %lld is there already",
                       where, (long long)*id);
        return DEEPER_OK;
    }
    *is_new = true;
    return dp_name_index_add(ids, id, sizeof *id, number) ? DEEPER_OK : no_memory(file);
}

static deeper_status take_category(coco_file *file, const json_t *element, const char *where) {
    dp_boxes *b = file->reader->boxes;
    const json_t *name = json_object_get(element, "name");
    bool is_new = false;
    int64_t id = 0;
    size_t index = 0;
    char with_id[256];
    if (!json_is_string(name) || !json_string_length(name)) {
        dp_boxes_fault(b, DP_BOX_ENTRY, "%s: a category without a name", where);
        return DEEPER_OK;
    }
    DP_TRY(take_id(file, &file->class_ids, element, b->class_count, where, &id, &is_new));
    if (!is_new)
        return DEEPER_OK;
    const char *text = json_string_value(name);
    if (dp_name_index_get(&file->reader->classes, text, strlen(text), &index)) {
        /* Two ids of one name are two classes to COCO's program. */
        snprintf(with_id, sizeof with_id, "%.200s (%lld)", text, (long long)id);
        text = with_id;
    }
    return dp_boxes_class(file->reader, text, strlen(text), id, &index);
}

static deeper_status take_image(coco_file *file, const json_t *element, const char *where) {
    dp_boxes *b = file->reader->boxes;
    const json_t *name = json_object_get(element, "file_name");
    int64_t id = 0, width = 0, height = 0;
    bool is_new = false;
    size_t photo = 0;
    if (!json_is_string(name) || !json_string_length(name)) {
        dp_boxes_fault(b, DP_BOX_ENTRY, "%s: an image without file_name", where);
        return DEEPER_OK;
    }
    DP_TRY(take_id(file, &file->reader->photos, element, b->photo_count, where, &id, &is_new));
    if (!is_new)
        return DEEPER_OK;
    DP_TRY(dp_boxes_add_photo(file->reader, file->folder, json_string_value(name), id, &photo));
    if (whole(json_object_get(element, "width"), &width)
        && whole(json_object_get(element, "height"), &height) && width > 0 && height > 0
        && width <= 1000000000 && height <= 1000000000) {
        b->photos[photo].width = (int)width;
        b->photos[photo].height = (int)height;
    }
    return DEEPER_OK;
}

static deeper_status take_annotation(coco_file *file, const json_t *element, const char *where) {
    dp_boxes *b = file->reader->boxes;
    const json_t *sides = json_object_get(element, "bbox");
    const json_t *area = json_object_get(element, "area");
    const json_t *crowd = json_object_get(element, "iscrowd");
    int64_t id = 0, class_id = 0, photo_id = 0;
    bool is_new = false;
    deeper_truth box = { .area = json_is_number(area) ? json_number_value(area) : -1,
                         .crowd = json_is_true(crowd)
                                  || (json_is_number(crowd) && json_number_value(crowd) != 0) };
    DP_TRY(take_id(file, &file->annotation_ids, element, 0, where, &id, &is_new));
    if (!is_new)
        return DEEPER_OK;
    if (json_array_size(sides) != 4) {
        dp_boxes_fault(b, DP_BOX_ENTRY, "%s: no bbox of four numbers", where);
        return DEEPER_OK;
    }
    double numbers[4];
    for (size_t i = 0; i < 4; i++) {
        const json_t *number = json_array_get(sides, i);
        numbers[i] = json_is_number(number) ? json_number_value(number) : (double)NAN;
    }
    box.box = (deeper_box){ numbers[0], numbers[1], numbers[2], numbers[3] };
    if (!whole(json_object_get(element, "category_id"), &class_id)
        || !dp_name_index_get(&file->class_ids, &class_id, sizeof class_id, &box.class_index)) {
        dp_boxes_fault(b, DP_BOX_CLASS, "%s: its category_id is of no category", where);
        return DEEPER_OK;
    }
    if (!whole(json_object_get(element, "image_id"), &photo_id)
        || !dp_name_index_get(&file->reader->photos, &photo_id, sizeof photo_id, &box.image)) {
        dp_boxes_fault(b, DP_BOX_PHOTO, "%s: its image_id is of no image", where);
        return DEEPER_OK;
    }
    return dp_boxes_add(file->reader, &box, where);
}

typedef deeper_status take(coco_file *file, const json_t *element, const char *where);

static deeper_status take_all(coco_file *file, const dp_json_span *member, const char *name,
                              take *each) {
    dp_json_array array = { .span = *member };
    deeper_status status = DEEPER_OK;
    json_t *element = NULL;
    char where[DEEPER_MESSAGE_SIZE];
    for (size_t i = 0;
         status == DEEPER_OK && array.span.text && (element = dp_json_next(&array)) != NULL; i++) {
        snprintf(where, sizeof where, "%.300s: %s[%zu]", file->name, name, i);
        status = each(file, element, where);
        json_decref(element);
    }
    if (status != DEEPER_OK || (array.span.text && !array.wrong))
        return status;
    return dp_fail_at(file->reader->error, DEEPER_ERROR_FORMAT,
                      array.span.text ? (int64_t)(array.span.text - file->text) + (int64_t)array.at
                                      : -1,
                      "%s: %s %s", file->name, name,
                      array.span.text ? "is no array of JSON values, or cut short"
                                      : "is missing; COCO's form has images, annotations and "
                                        "categories");
}

/* ------------------------------------------------------------------------------ by rising ids */

/* Where a photo or a class goes when they are put in the order of their ids. */
typedef struct ranked {
    int64_t id;
    size_t index;
} ranked;

static int by_id(const void *left, const void *right) {
    const ranked *a = left, *b = right;
    return (a->id > b->id) - (a->id < b->id);
}

static deeper_status sort_by_id(dp_boxes *b, deeper_error *error) {
    const size_t photos = b->photo_count, classes = b->class_count;
    ranked *order = dp_alloc_raw(b->allocator, photos + classes, sizeof *order);
    size_t *to = dp_alloc_raw(b->allocator, photos + classes, sizeof *to);
    dp_boxed_photo *sorted = dp_alloc_raw(b->allocator, photos, sizeof *sorted);
    dp_boxed_class *named = dp_alloc_raw(b->allocator, classes, sizeof *named);
    const bool enough = order && to && sorted && named;
    if (enough) {
        for (size_t i = 0; i < photos; i++)
            order[i] = (ranked){ b->photos[i].id, i };
        for (size_t i = 0; i < classes; i++)
            order[photos + i] = (ranked){ b->classes[i].id, i };
        qsort(order, photos, sizeof *order, by_id);
        qsort(order + photos, classes, sizeof *order, by_id);
        for (size_t i = 0; i < photos; i++) {
            sorted[i] = b->photos[order[i].index];
            to[order[i].index] = i;
        }
        for (size_t i = 0; i < classes; i++) {
            named[i] = b->classes[order[photos + i].index];
            to[photos + order[photos + i].index] = i;
        }
        for (size_t i = 0; i < b->box_count; i++) {
            b->boxes[i].image = to[b->boxes[i].image];
            b->boxes[i].class_index = to[photos + b->boxes[i].class_index];
        }
        memcpy(b->photos, sorted, photos * sizeof *sorted);
        if (classes)
            memcpy(b->classes, named, classes * sizeof *named);
    }
    dp_free(b->allocator, order);
    dp_free(b->allocator, to);
    dp_free(b->allocator, sorted);
    dp_free(b->allocator, named);
    return enough ? DEEPER_OK : dp_fail_memory(error, "an order of ids");
}

deeper_status dp_coco_parse(dp_boxes_reader *reader, const char *text, size_t size,
                            const char *folder, const char *name) {
    dp_json_span members[MEMBERS];
    coco_file file = { .reader = reader, .text = text, .folder = folder, .name = name };
    size_t at = dp_byte_order_mark(text, size);
    if (!dp_json_members(members, names, MEMBERS, text, size, &at))
        return dp_fail_at(reader->error, DEEPER_ERROR_FORMAT, (int64_t)at,
                          "%s: no JSON object, or cut short", name);
    dp_name_index_init(&file.class_ids, reader->boxes->allocator);
    dp_name_index_init(&file.annotation_ids, reader->boxes->allocator);
    deeper_status status = take_all(&file, &members[CATEGORIES], names[CATEGORIES], take_category);
    if (status == DEEPER_OK)
        status = take_all(&file, &members[IMAGES], names[IMAGES], take_image);
    if (status == DEEPER_OK)
        status = take_all(&file, &members[ANNOTATIONS], names[ANNOTATIONS], take_annotation);
    dp_name_index_free(&file.class_ids);
    dp_name_index_free(&file.annotation_ids);
    return status == DEEPER_OK && reader->boxes->photo_count
               ? sort_by_id(reader->boxes, reader->error)
               : status;
}

deeper_status dp_read_coco(dp_boxes_reader *reader, const char *path) {
    return dp_boxes_parse_file(reader, path, ".json", dp_coco_parse);
}
