/* detections.c - readers of detectors' results. Photos and classes are found by what each form
 * calls them: COCO's ids, the stems or names of files, names or numbers of classes. */
#include "data/detections.h"
#include "base/number.h"
#include "data/box_table.h"
#include "data/boxes_read.h"
#include "data/json_members.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A file being read; faults are told as those of sets are. */
typedef struct work {
    dp_detections *out;
    const dp_boxes *boxes;
    dp_boxes faults; /* only its counts and its callback */
    dp_name_index photo_ids, class_ids, stems, names, classes;
    deeper_error *error;
} work;

static deeper_status no_memory(const work *w) {
    return dp_fail_memory(w->error, "the detections");
}

static deeper_status add(work *w, const deeper_detection *d, const char *where) {
    const double numbers[5] = { d->box.x, d->box.y, d->box.width, d->box.height, d->score };
    for (int i = 0; i < 5; i++)
        if (!isfinite(numbers[i]) || (i < 4 && fabs(numbers[i]) > 1e9)
            || ((i == 2 || i == 3) && numbers[i] < 0)) {
            dp_boxes_fault(&w->faults, DP_BOX_NUMBER, "%s: %g x %g at (%g, %g), score %g: is none",
                           where, numbers[2], numbers[3], numbers[0], numbers[1], numbers[4]);
            return DEEPER_OK;
        }
    void *items = w->out->items;
    if (!dp_reserve(w->out->allocator, &items, &w->out->capacity, w->out->count + 1,
                    sizeof *w->out->items))
        return no_memory(w);
    w->out->items = items;
    w->out->items[w->out->count++] = *d;
    return DEEPER_OK;
}

static void no_photo(work *w, const char *where, const char *name, size_t size) {
    dp_boxes_fault(&w->faults, DP_BOX_PHOTO, "%s: the set has no photo %.*s", where,
                   size > 200 ? 200 : (int)size, name);
}

/* By the stem, or by the whole name behind the last slash; so programs name photos. */
static bool find_photo(const work *w, const char *name, size_t size, size_t *photo) {
    const char *base = name;
    for (size_t i = 0; i < size; i++)
        if (name[i] == '/')
            base = name + i + 1;
    const size_t length = size - (size_t)(base - name);
    return dp_name_index_get(&w->names, base, length, photo)
           || dp_name_index_get(&w->stems, base, length, photo);
}

/* ------------------------------------------------------------------------------------------- COCO
 */

static bool whole(const json_t *value, int64_t *number) {
    if (json_is_integer(value))
        *number = json_integer_value(value);
    else if (json_is_real(value) && floor(json_real_value(value)) == json_real_value(value)
             && fabs(json_real_value(value)) < 9e15)
        *number = (int64_t)json_real_value(value);
    else
        return false;
    return true;
}

static deeper_status take_result(work *w, const json_t *element, const char *where) {
    const json_t *sides = json_object_get(element, "bbox"),
                 *score = json_object_get(element, "score");
    double numbers[4];
    int64_t image = 0, category = 0;
    deeper_detection d = { .score =
                               json_is_number(score) ? json_number_value(score) : (double)NAN };
    if (json_array_size(sides) != 4 || !whole(json_object_get(element, "image_id"), &image)
        || !whole(json_object_get(element, "category_id"), &category)) {
        dp_boxes_fault(&w->faults, DP_BOX_ENTRY, "%s: no image_id, category_id and bbox of four",
                       where);
        return DEEPER_OK;
    }
    if (!dp_name_index_get(&w->photo_ids, &image, sizeof image, &d.image)) {
        dp_boxes_fault(&w->faults, DP_BOX_PHOTO, "%s: the set has no image %lld", where,
                       (long long)image);
        return DEEPER_OK;
    }
    if (!dp_name_index_get(&w->class_ids, &category, sizeof category, &d.class_index)) {
        dp_boxes_fault(&w->faults, DP_BOX_CLASS, "%s: the set has no category %lld", where,
                       (long long)category);
        return DEEPER_OK;
    }
    for (size_t i = 0; i < 4; i++) {
        const json_t *number = json_array_get(sides, i);
        numbers[i] = json_is_number(number) ? json_number_value(number) : (double)NAN;
    }
    d.box = (deeper_box){ numbers[0], numbers[1], numbers[2], numbers[3] };
    return add(w, &d, where);
}

static deeper_status read_coco(work *w, const char *text, size_t size, const char *name) {
    dp_json_array array = { .span = { text, size } };
    char where[DEEPER_MESSAGE_SIZE];
    json_t *element;
    deeper_status status = DEEPER_OK;
    for (size_t i = 0; status == DEEPER_OK && (element = dp_json_next(&array)) != NULL; i++) {
        snprintf(where, sizeof where, "%.300s: [%zu]", name, i);
        status = take_result(w, element, where);
        json_decref(element);
    }
    if (status == DEEPER_OK && array.wrong)
        return dp_fail_at(w->error, DEEPER_ERROR_FORMAT, (int64_t)array.at,
                          "%s: no JSON array of detections, or cut short", name);
    return status;
}

/* --------------------------------------------------------------------------------- lines of words
 */

/* The numbers of a line from word `first` on, `count` of them; false: they are not that many. */
static bool numbers(double *values, size_t count, const char *line, size_t size, size_t at) {
    const char *word;
    size_t length;
    for (size_t i = 0; i < count; i++)
        if (!dp_word(line, size, &at, &word, &length) || !dp_number_parse(word, length, &values[i]))
            return false;
    return !dp_word(line, size, &at, &word, &length);
}

/* `STEM SCORE XMIN YMIN XMAX YMAX`, pixels from 1, both ends included. */
static deeper_status read_voc(work *w, size_t class_index, const char *text, size_t size,
                              const char *name) {
    dp_lines lines = { .text = text, .size = size };
    const char *line, *word;
    size_t length;
    char where[DEEPER_MESSAGE_SIZE];
    while (dp_lines_next(&lines, &line, &size)) {
        deeper_detection d = { .class_index = class_index };
        size_t at = 0;
        double v[5];
        snprintf(where, sizeof where, "%.300s:%zu", name, lines.number);
        if (!dp_word(line, size, &at, &word, &length))
            continue;
        if (!numbers(v, 5, line, size, at))
            dp_boxes_fault(&w->faults, DP_BOX_ENTRY, "%s: no `STEM SCORE XMIN YMIN XMAX YMAX`",
                           where);
        else if (!find_photo(w, word, length, &d.image))
            no_photo(w, where, word, length);
        else {
            d.score = v[0];
            d.box = (deeper_box){ v[1] - 1, v[2] - 1, v[3] - v[1] + 1, v[4] - v[2] + 1 };
            DP_TRY(add(w, &d, where));
        }
    }
    return DEEPER_OK;
}

/* `CLASS X Y WIDTH HEIGHT SCORE`, centre and size as shares of the photo. */
static deeper_status read_yolo(work *w, size_t image, const char *text, size_t size,
                               const char *name) {
    dp_lines lines = { .text = text, .size = size };
    const dp_boxed_photo *photo = &w->boxes->photos[image];
    const char *line;
    char where[DEEPER_MESSAGE_SIZE];
    while (dp_lines_next(&lines, &line, &size)) {
        double v[6];
        if (size == 0)
            continue;
        snprintf(where, sizeof where, "%.300s:%zu", name, lines.number);
        if (!numbers(v, 6, line, size, 0))
            dp_boxes_fault(&w->faults, DP_BOX_ENTRY, "%s: no `CLASS X Y WIDTH HEIGHT SCORE`",
                           where);
        else if (!(v[0] >= 0 && v[0] < (double)w->boxes->class_count && v[0] == floor(v[0])))
            dp_boxes_fault(&w->faults, DP_BOX_CLASS, "%s: class %g; there are %zu, from 0", where,
                           v[0], w->boxes->class_count);
        else if (!photo->width)
            dp_boxes_fault(&w->faults, DP_BOX_PHOTO, "%s: the size of its photo is not known",
                           where);
        else {
            const deeper_detection d = { .image = image,
                                         .class_index = (size_t)v[0],
                                         .score = v[5],
                                         .box = { (v[1] - v[3] / 2) * photo->width,
                                                  (v[2] - v[4] / 2) * photo->height,
                                                  v[3] * photo->width, v[4] * photo->height } };
            DP_TRY(add(w, &d, where));
        }
    }
    return DEEPER_OK;
}

/* ------------------------------------------------------------------------------------------ table
 */

static deeper_status take_row(void *context, const dp_box_table *table, const char *where) {
    work *w = context;
    const char *photo = dp_box_table_text(table, DP_COLUMN_PHOTO),
               *class_name = dp_box_table_text(table, DP_COLUMN_CLASS);
    deeper_detection d = { .box = dp_box_table_box(table),
                           .score = dp_box_table_number(table, DP_COLUMN_SCORE) };
    if (!find_photo(w, photo, strlen(photo), &d.image))
        no_photo(w, where, photo, strlen(photo));
    else if (!dp_name_index_get(&w->classes, class_name, strlen(class_name), &d.class_index))
        dp_boxes_fault(&w->faults, DP_BOX_CLASS, "%s: the set has no class %.200s", where,
                       class_name);
    else
        return add(w, &d, where);
    return DEEPER_OK;
}

/* ------------------------------------------------------------------------------------------- files
 */

/* One file: a JSON array or a table; of a folder's the class or photo that its name ends with or
 * is. */
static deeper_status read_text(work *w, const char *text, size_t size, const char *path,
                               bool in_folder) {
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const size_t stem = dp_stem(base);
    size_t index = 0, begin = 0;
    while (begin < size && text[begin] && strchr(" \t\r\n\xEF\xBB\xBF", text[begin]))
        begin++;
    if (begin < size && text[begin] == '[')
        return read_coco(w, text + begin, size - begin, path);
    if (dp_name_index_get(&w->stems, base, stem, &index))
        return read_yolo(w, index, text, size, path);
    for (const char *c = base; c < base + stem; c++) /* comp4_det_test_CLASS */
        if ((c == base || c[-1] == '_')
            && dp_name_index_get(&w->classes, c, stem - (size_t)(c - base), &index))
            return read_voc(w, index, text, size, path);
    if (!in_folder)
        return dp_box_table_read(text, size, path, DP_COLUMN_SCORE, take_row, w, w->out->allocator,
                                 w->error);
    dp_boxes_fault(&w->faults, DP_BOX_UNREADABLE,
                   "%s: its name is of no photo, and ends with no class", path);
    return DEEPER_OK;
}

static deeper_status read_file(work *w, const char *path, bool in_folder) {
    dp_map map;
    DP_TRY(dp_map_open(&map, path, 0, w->error));
    const deeper_status status =
        read_text(w, map.size ? (const char *)map.data : "", map.size, path, in_folder);
    dp_map_close(&map);
    return status;
}

static deeper_status read_path(work *w, const char *path) {
    dp_listing listing;
    if (dp_is_folder(path) != 1)
        return read_file(w, path, false);
    DP_TRY(dp_listing_read(&listing, path, w->out->allocator, w->error));
    deeper_status status = DEEPER_OK;
    for (size_t i = 0; status == DEEPER_OK && i < listing.count; i++) {
        if (listing.folders[i])
            continue;
        char *file = dp_path_join(w->out->allocator, path, listing.names[i]);
        status = file ? read_file(w, file, true) : no_memory(w);
        dp_free(w->out->allocator, file);
    }
    dp_listing_free(&listing, w->out->allocator);
    return status;
}

/* Adds what is not there yet. */
static bool add_name(dp_name_index *index, const void *name, size_t size, size_t number) {
    size_t known = 0;
    return dp_name_index_get(index, name, size, &known)
           || dp_name_index_add(index, name, size, number);
}

static bool add_names(work *w) {
    bool enough = true;
    for (size_t i = 0; enough && i < w->boxes->photo_count; i++) {
        const dp_boxed_photo *photo = &w->boxes->photos[i];
        const char *path = dp_boxes_text(w->boxes, photo->name), *slash = strrchr(path, '/');
        const char *base = slash ? slash + 1 : path;
        enough = add_name(&w->photo_ids, &photo->id, sizeof photo->id, i)
                 && add_name(&w->names, base, strlen(base), i)
                 && add_name(&w->stems, base, dp_stem(base), i);
    }
    for (size_t i = 0; enough && i < w->boxes->class_count; i++) {
        const dp_boxed_class *c = &w->boxes->classes[i];
        const char *name = dp_boxes_text(w->boxes, c->name);
        enough = add_name(&w->class_ids, &c->id, sizeof c->id, i)
                 && add_name(&w->classes, name, strlen(name), i);
    }
    return enough;
}

static deeper_status with_names(work *w, const dp_boxes *boxes, const char *path, const char *text,
                                size_t size) {
    dp_name_index *const indices[] = { &w->photo_ids, &w->class_ids, &w->stems, &w->names,
                                       &w->classes };
    w->boxes = boxes;
    for (size_t i = 0; i < sizeof indices / sizeof *indices; i++)
        dp_name_index_init(indices[i], w->out->allocator);
    deeper_status status = !add_names(w) ? no_memory(w)
                           : text        ? read_text(w, text, size, path, false)
                                         : read_path(w, path);
    for (size_t i = 0; i < sizeof indices / sizeof *indices; i++)
        dp_name_index_free(indices[i]);
    memcpy(w->out->faults, w->faults.faults, sizeof w->out->faults);
    return status;
}

deeper_status dp_detections_read(dp_detections *detections, const dp_boxes *boxes, const char *path,
                                 void (*problem)(void *context, const char *message), void *context,
                                 const deeper_allocator *allocator, deeper_error *error) {
    work w = { .out = detections,
               .faults = { .problem = problem, .context = context },
               .error = error };
    *detections = (dp_detections){ .allocator = allocator };
    return with_names(&w, boxes, path, NULL, 0);
}

deeper_status dp_detections_parse(dp_detections *detections, const dp_boxes *boxes,
                                  const char *text, size_t size, const char *name,
                                  const deeper_allocator *allocator, deeper_error *error) {
    work w = { .out = detections, .error = error };
    *detections = (dp_detections){ .allocator = allocator };
    return with_names(&w, boxes, name, text, size);
}

void dp_detections_free(dp_detections *detections) {
    dp_free(detections->allocator, detections->items);
    *detections = (dp_detections){ 0 };
}
