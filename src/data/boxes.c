/* boxes.c - the forms of boxed sets and how each is known, the kinds of faults, and what is the
 * same for all: boxes put in order, boxes looked at, photos held out. */
#include "data/boxes.h"
#include "base/random.h"
#include "data/boxes_read.h"
#include "data/picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEAD = 4096 };

/* ----------------------------------------------------------------------------- what a path holds
 */

/* A path looked at: a folder's names, or the first bytes of a file. */
typedef struct look {
    const dp_listing *listing; /* NULL: a file */
    const char *path, *head;
} look;

static bool ends(const char *name, const char *ending) {
    const size_t size = strlen(name), length = strlen(ending);
    return size >= length && strcmp(name + size - length, ending) == 0;
}

/* How many names of a folder end so. */
static size_t count_ending(const look *at, const char *ending, bool folders) {
    size_t count = 0;
    for (size_t i = 0; at->listing && i < at->listing->count; i++)
        count += at->listing->folders[i] == folders && ends(at->listing->names[i], ending);
    return count;
}

static bool is_voc(const look *at) {
    return at->listing
           && (count_ending(at, "Annotations", true) == 1 || count_ending(at, ".xml", false) > 0);
}

static bool is_coco(const look *at) {
    const char *brace = at->head;
    if (at->listing)
        return count_ending(at, ".json", false) == 1;
    brace += strspn(brace, " \t\r\n\xEF\xBB\xBF");
    return *brace == '{' && !strstr(brace, "\"deeper_tuning\"");
}

static bool is_yolo(const look *at) {
    if (!at->listing)
        return ends(at->path, ".yaml") || ends(at->path, ".yml");
    return count_ending(at, "data.yaml", false) == 1 || count_ending(at, "labels", true) == 1;
}

/* A first line that names a left side, or PATH,X1,Y1,X2,Y2,CLASS with numbers or nothing between.
 */
static bool is_csv(const look *at) {
    size_t commas = 0, others = 0;
    if (at->listing)
        return count_ending(at, ".csv", false) == 1;
    const size_t line = strcspn(at->head, "\r\n");
    for (size_t i = 0; i < line; i++)
        if (at->head[i] == ',')
            commas++;
        else if (commas >= 1 && commas <= 4)
            others += !strchr("+-.0123456789eE", at->head[i]);
    if (commas < 5 || strchr("{[", at->head[0]))
        return false;
    const char *end = at->head + line;
    for (const char *c = at->head; c < end; c++)
        if (strncasecmp(c, "xmin", 4) == 0 || strncasecmp(c, "x_min", 5) == 0
            || strncasecmp(c, ",x1,", 4) == 0)
            return true;
    return commas == 5 && others == 0;
}

static bool is_window(const look *at) {
    return !at->listing && at->head[0] == '#' && strspn(at->head + 1, " ") > 0
           && strspn(at->head + 2, "0123456789") > 0;
}

static const struct {
    const char *name, *description;
    bool (*is)(const look *at);
    dp_boxes_read *read;
} forms[] = {
    { "voc",
      "Pascal VOC: a folder with Annotations/*.xml, JPEGImages and ImageSets, or of XML files",
      is_voc, dp_read_voc },
    { "coco", "COCO: a JSON file of images, annotations and categories, or a folder with just one",
      is_coco, dp_read_coco },
    { "yolo", "YOLO: data.yaml, or a folder with it, or one with images and labels", is_yolo,
      dp_read_yolo },
    { "csv",
      "a table of filename, class, xmin, ymin, xmax, ymax in any order, or of keras-retinanet",
      is_csv, dp_read_csv },
    { "window", "a window file of Caffe's WindowDataLayer: its windows of overlap 1", is_window,
      dp_read_window },
};
enum { FORMS = sizeof forms / sizeof *forms };

const char *dp_boxes_form(size_t index, const char **description) {
    if (index >= FORMS)
        return NULL;
    if (description)
        *description = forms[index].description;
    return forms[index].name;
}

/* The form of a path, FORMS: none. Errors: those of looking at it. */
static deeper_status find_form(size_t *form, const char *path, const deeper_allocator *allocator,
                               deeper_error *error) {
    char head[HEAD + 1] = "";
    dp_listing listing = { 0 };
    look at = { .path = path, .head = head };
    *form = FORMS;
    if (dp_is_folder(path) == 1) {
        DP_TRY(dp_listing_read(&listing, path, allocator, error));
        at.listing = &listing;
    } else {
        dp_map map;
        DP_TRY(dp_map_open(&map, path, 0, error));
        memcpy(head, map.size ? (const char *)map.data : "", map.size < HEAD ? map.size : HEAD);
        dp_map_close(&map);
    }
    for (size_t i = FORMS; i-- > 0;)
        if (forms[i].is(&at))
            *form = i;
    if (at.listing)
        dp_listing_free(&listing, allocator);
    return DEEPER_OK;
}

bool dp_boxes_at(const char *path) {
    size_t form = FORMS;
    return find_form(&form, path, NULL, NULL) == DEEPER_OK && form < FORMS;
}

/* ---------------------------------------------------------------------------------------- faults
 */

static const struct {
    const char *name, *description;
} faults[DP_BOX_FAULTS] = {
    [DP_BOX_UNREADABLE] = { "unreadable", "damaged files of annotations, left out" },
    [DP_BOX_ENTRY] = { "malformed", "lines or entries that are not of the form, left out" },
    [DP_BOX_NUMBER] = { "impossible",
                        "boxes without finite numbers or of a size below 0, left out" },
    [DP_BOX_CLASS] = { "unknown_class", "boxes of a class that the set does not have, left out" },
    [DP_BOX_PHOTO] = { "unknown_photo", "boxes of a photo that the set does not have, left out" },
    [DP_BOX_REPEATED_ID] = { "repeated_id", "ids that are there twice, the second left out" },
    [DP_BOX_EMPTY] = { "empty", "boxes of no width or no height" },
    [DP_BOX_OUTSIDE] = { "outside", "boxes that reach out of their photo by more than a pixel" },
    [DP_BOX_REPEATED] = { "repeated", "the same box of the same class again" },
    [DP_BOX_POLYGON] = { "polygons", "outlines, whose hull is taken" },
    [DP_BOX_MISSING] = { "missing_photos", "photos whose file is not there" },
    [DP_BOX_DAMAGED] = { "damaged_photos", "photos that cannot be decoded" },
    [DP_BOX_SIZE] = { "wrong_sizes", "photos of another size than the annotations say" },
};

const char *dp_box_fault_name(dp_box_fault fault, const char **description) {
    if (description)
        *description = faults[fault].description;
    return faults[fault].name;
}

/* ---------------------------------------------------------------------------------------- finish
 */

/* Puts the boxes in the order of the photos; those of one photo keep theirs. */
static deeper_status sort_boxes(dp_boxes *b, deeper_error *error) {
    deeper_truth *sorted = dp_alloc_raw(b->allocator, b->box_count, sizeof *sorted);
    if (!sorted)
        return dp_fail_memory(error, "the boxes of a set");
    for (size_t i = 0; i < b->box_count; i++)
        b->photos[b->boxes[i].image].count++;
    for (size_t i = 0, first = 0; i < b->photo_count; i++) {
        b->photos[i].first = first;
        first += b->photos[i].count;
        b->photos[i].count = 0;
    }
    for (size_t i = 0; i < b->box_count; i++) {
        dp_boxed_photo *photo = &b->photos[b->boxes[i].image];
        sorted[photo->first + photo->count++] = b->boxes[i];
    }
    dp_free(b->allocator, b->boxes);
    b->boxes = sorted;
    b->box_capacity = b->box_count;
    return DEEPER_OK;
}

static int by_place(const void *left, const void *right) {
    const deeper_truth *a = left, *b = right;
    const double keys[5][2] = { { (double)a->class_index, (double)b->class_index },
                                { a->box.x, b->box.x },
                                { a->box.y, b->box.y },
                                { a->box.width, b->box.width },
                                { a->box.height, b->box.height } };
    for (int i = 0; i < 5; i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
}

/* What can be said of the boxes of a photo without its pixels. scratch: room for its boxes. */
static void look_at_boxes(dp_boxes *b, const dp_boxed_photo *photo, deeper_truth *scratch) {
    const char *name = dp_boxes_text(b, photo->name);
    for (size_t i = 0; i < photo->count; i++) {
        const deeper_box *box = &b->boxes[photo->first + i].box;
        if (!(box->width > 0 && box->height > 0))
            dp_boxes_fault(b, DP_BOX_EMPTY, "%s: box %zu is %g x %g pixels: nothing can find it",
                           name, i + 1, box->width, box->height);
        if (photo->width
            && (box->x < -1 || box->y < -1 || box->x + box->width > photo->width + 1
                || box->y + box->height > photo->height + 1))
            dp_boxes_fault(b, DP_BOX_OUTSIDE,
                           "%s: box %zu, %g x %g at (%g, %g), reaches out of the %d x %d photo",
                           name, i + 1, box->width, box->height, box->x, box->y, photo->width,
                           photo->height);
    }
    if (photo->count)
        memcpy(scratch, b->boxes + photo->first, photo->count * sizeof *scratch);
    if (photo->count > 1)
        qsort(scratch, photo->count, sizeof *scratch, by_place);
    for (size_t i = 1; i < photo->count; i++)
        if (by_place(&scratch[i - 1], &scratch[i]) == 0)
            dp_boxes_fault(b, DP_BOX_REPEATED, "%s: a box of %s at (%g, %g) is there twice", name,
                           dp_boxes_text(b, b->classes[scratch[i].class_index].name),
                           scratch[i].box.x, scratch[i].box.y);
}

static deeper_status look_at_all(dp_boxes *b, deeper_error *error) {
    size_t largest = 0;
    for (size_t i = 0; i < b->photo_count; i++)
        if (b->photos[i].count > largest)
            largest = b->photos[i].count;
    deeper_truth *scratch = dp_alloc_raw(b->allocator, largest, sizeof *scratch);
    if (!scratch)
        return dp_fail_memory(error, "the boxes of a photo");
    for (size_t i = 0; i < b->photo_count; i++)
        look_at_boxes(b, &b->photos[i], scratch);
    dp_free(b->allocator, scratch);
    return DEEPER_OK;
}

/* Leaves the photos that are wanted: those held out, or the others. The first of a random order of
 * all are held out. */
static deeper_status hold_out(dp_boxes *b, const dp_boxes_options *options, deeper_error *error) {
    const size_t photos = b->photo_count;
    const size_t out = (size_t)floor(options->fraction * (double)photos + 0.5);
    size_t *order = dp_alloc_raw(b->allocator, photos, sizeof *order), kept = 0, boxes = 0;
    bool *is_out = dp_alloc(b->allocator, photos, sizeof *is_out);
    dp_random random = dp_random_at(options->seed, photos, 0);
    for (size_t i = 0; order && is_out && i < photos; i++) {
        const size_t at = dp_random_below(&random, (uint32_t)i + 1);
        order[i] = i;
        order[i] = order[at];
        order[at] = i;
    }
    for (size_t i = 0; order && is_out && i < out; i++)
        is_out[order[i]] = true;
    for (size_t i = 0; order && is_out && i < photos; i++) {
        dp_boxed_photo photo = b->photos[i];
        if (is_out[i] != options->held_out)
            continue;
        for (size_t k = 0; k < photo.count; k++) {
            b->boxes[boxes + k] = b->boxes[photo.first + k];
            b->boxes[boxes + k].image = kept;
        }
        photo.first = boxes;
        boxes += photo.count;
        b->photos[kept++] = photo;
    }
    const bool enough = order && is_out;
    dp_free(b->allocator, order);
    dp_free(b->allocator, is_out);
    if (!enough)
        return dp_fail_memory(error, "an order of photos");
    b->photo_count = kept;
    b->box_count = boxes;
    return DEEPER_OK;
}

static deeper_status finish(dp_boxes *b, const dp_boxes_options *options, deeper_error *error) {
    if (b->photo_count == 0)
        return dp_fail(error, DEEPER_ERROR_FORMAT, "%s: a set in %s form without photos", b->path,
                       b->format);
    DP_TRY(sort_boxes(b, error));
    if (options->fraction > 0)
        DP_TRY(hold_out(b, options, error));
    return look_at_all(b, error);
}

/* ------------------------------------------------------------------------------------------- open
 */

static deeper_status no_form(const char *path, deeper_error *error) {
    return dp_fail(
        error, DEEPER_ERROR_FORMAT,
        "%s: no set of boxes; give a Pascal VOC folder, a COCO file, YOLO's data.yaml, a "
        "CSV table with boxes or a window file",
        path);
}

static deeper_status read_set(dp_boxes *boxes, dp_boxes_read *read, const char *path,
                              const dp_boxes_options *options, deeper_error *error) {
    dp_boxes_reader reader = { .boxes = boxes, .options = options, .error = error };
    dp_name_index_init(&reader.classes, boxes->allocator);
    dp_name_index_init(&reader.photos, boxes->allocator);
    deeper_status status = read(&reader, path);
    dp_name_index_free(&reader.classes);
    dp_name_index_free(&reader.photos);
    return status == DEEPER_OK ? finish(boxes, options, error) : status;
}

deeper_status dp_boxes_open(dp_boxes *boxes, const char *path, const dp_boxes_options *options,
                            const deeper_allocator *allocator, deeper_error *error) {
    size_t form = FORMS;
    *boxes = (dp_boxes){ .allocator = allocator,
                         .part = SIZE_MAX,
                         .problem = options->problem,
                         .context = options->context };
    dp_buffer_init(&boxes->text, allocator, UINT32_MAX);
    if (!(options->fraction >= 0 && options->fraction < 1))
        return dp_fail(error, DEEPER_ERROR_ARGUMENT, "fraction is %g; 0 to below 1 are",
                       options->fraction);
    DP_TRY(find_form(&form, path, allocator, error));
    if (form == FORMS)
        return no_form(path, error);
    boxes->format = forms[form].name;
    boxes->path = dp_strdup(allocator, path);
    if (!boxes->path)
        return dp_fail_memory(error, "the set's path");
    const deeper_status status = read_set(boxes, forms[form].read, path, options, error);
    if (status != DEEPER_OK)
        dp_boxes_free(boxes);
    return status;
}

void dp_boxes_free(dp_boxes *boxes) {
    dp_free(boxes->allocator, boxes->path);
    dp_free(boxes->allocator, boxes->classes);
    dp_free(boxes->allocator, boxes->photos);
    dp_free(boxes->allocator, boxes->boxes);
    dp_free(boxes->allocator, boxes->parts);
    dp_buffer_free(&boxes->text);
    *boxes = (dp_boxes){ 0 };
}

deeper_status dp_boxes_check_photos(dp_boxes *boxes,
                                    void (*progress)(void *context, uint64_t done, uint64_t total),
                                    void *context, deeper_error *error) {
    for (size_t i = 0; i < boxes->photo_count; i++) {
        dp_boxed_photo *photo = &boxes->photos[i];
        const char *name = dp_boxes_text(boxes, photo->name);
        dp_image image = { 0 };
        deeper_error wrong = { 0 };
        if (dp_is_folder(name) < 0) {
            dp_boxes_fault(boxes, DP_BOX_MISSING, "%s: no such photo", name);
            continue;
        }
        const deeper_status status = dp_picture_read(&image, name, NULL, boxes->allocator, &wrong);
        if (status == DEEPER_ERROR_MEMORY)
            return dp_fail(error, status, "%s", wrong.message);
        if (status != DEEPER_OK)
            dp_boxes_fault(boxes, DP_BOX_DAMAGED, "%s", wrong.message);
        else if (!photo->width) {
            photo->width = image.width;
            photo->height = image.height;
        } else if (photo->width != image.width || photo->height != image.height)
            dp_boxes_fault(boxes, DP_BOX_SIZE, "%s: is %d x %d, its annotation says %d x %d", name,
                           image.width, image.height, photo->width, photo->height);
        dp_image_free(&image);
        if (progress)
            progress(context, i + 1, boxes->photo_count);
    }
    return DEEPER_OK;
}
