/* read_yolo.c - YOLO sets: a text file a photo with `CLASS X Y WIDTH HEIGHT` lines, centre and size
 * as shares of the photo's sides, so that the photo's size must be known: it is decoded. A line of
 * more numbers is an outline, whose hull is taken. Photos are what lies in the folder of photos;
 * one without a file of labels has no boxes. */
#include "base/number.h"
#include "data/boxes_read.h"
#include "data/picture.h"
#include "data/yolo_yaml.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NUMBERS = 4096 }; /* of a line: an outline of so many is as fine as any photo */

/* The hull of an outline x y x y ..., as centre and size. */
static void hull(double box[4], const double *points, size_t count) {
    double low[2] = { points[0], points[1] }, high[2] = { points[0], points[1] };
    for (size_t i = 2; i < count; i++) {
        const double v = points[i];
        low[i % 2] = v < low[i % 2] ? v : low[i % 2];
        high[i % 2] = v > high[i % 2] ? v : high[i % 2];
    }
    for (int side = 0; side < 2; side++) {
        box[side] = (low[side] + high[side]) / 2;
        box[2 + side] = high[side] - low[side];
    }
}

/* The class of a number; without names every number is one. */
static deeper_status take_class(dp_boxes_reader *reader, double number, size_t *index,
                                bool *is_one) {
    dp_boxes *b = reader->boxes;
    char name[32];
    const bool named = reader->boxes->class_count && b->classes[0].id >= 0;
    *is_one = number >= 0 && number == floor(number)
              && number < (named ? (double)b->class_count : DP_BOXES_CLASSES / 10);
    if (!*is_one)
        return DEEPER_OK;
    *index = (size_t)number;
    while (!named && b->class_count <= *index) { /* negative ids say that these are numbers */
        size_t added = 0;
        const int length = snprintf(name, sizeof name, "%zu", b->class_count);
        DP_TRY(dp_boxes_class(reader, name, (size_t)length, -1 - (int64_t)b->class_count, &added));
    }
    return DEEPER_OK;
}

static deeper_status take_line(dp_boxes_reader *reader, const dp_boxed_photo *photo,
                               deeper_truth *box, double *numbers, size_t count,
                               const char *where) {
    dp_boxes *b = reader->boxes;
    bool is_one = false;
    double share[4];
    if (count < 5 || (count > 5 && count % 2 == 0)) {
        dp_boxes_fault(b, DP_BOX_ENTRY, "%s: no `CLASS X Y WIDTH HEIGHT`, nor an outline", where);
        return DEEPER_OK;
    }
    DP_TRY(take_class(reader, numbers[0], &box->class_index, &is_one));
    if (!is_one) {
        dp_boxes_fault(b, DP_BOX_CLASS, "%s: class %g; there are %zu, from 0", where, numbers[0],
                       b->class_count);
        return DEEPER_OK;
    }
    memcpy(share, numbers + 1, sizeof share);
    if (count > 5) {
        hull(share, numbers + 1, count - 1);
        dp_boxes_fault(b, DP_BOX_POLYGON, "%s: an outline; its hull is taken", where);
    }
    const double width = photo->width, height = photo->height;
    box->box = (deeper_box){ (share[0] - share[2] / 2) * width, (share[1] - share[3] / 2) * height,
                             share[2] * width, share[3] * height };
    return dp_boxes_add(reader, box, where);
}

deeper_status dp_yolo_parse(dp_boxes_reader *reader, size_t photo, const char *text, size_t size,
                            const char *name) {
    dp_lines lines = { .text = text, .size = size };
    const char *line, *word;
    size_t length, word_length;
    char where[DEEPER_MESSAGE_SIZE];
    deeper_status status = DEEPER_OK;
    double *numbers = dp_alloc_raw(reader->boxes->allocator, NUMBERS, sizeof *numbers);
    if (!numbers)
        return dp_fail_memory(reader->error, "the numbers of a line");
    while (status == DEEPER_OK && dp_lines_next(&lines, &line, &length)) {
        deeper_truth box = { .image = photo, .area = -1 };
        size_t at = 0, count = 0;
        bool sound = true;
        while (dp_word(line, length, &at, &word, &word_length) && sound) {
            sound = count < NUMBERS && dp_number_parse(word, word_length, &numbers[count]);
            count++;
        }
        if (count == 0)
            continue;
        snprintf(where, sizeof where, "%.300s:%zu", name, lines.number);
        status = take_line(reader, &reader->boxes->photos[photo], &box, numbers, sound ? count : 0,
                           where);
    }
    dp_free(reader->boxes->allocator, numbers);
    return status;
}

/* ----------------------------------------------------------------------------------- the folders
 */

/* The file of labels of a photo: the last folder "images" of its path is "labels", its ending
 * ".txt". */
static bool labels_path(char *out, size_t size, const char *photo) {
    const char *last = NULL;
    for (const char *at = photo; (at = strstr(at, "/images/")) != NULL; at++)
        last = at;
    const size_t stem = dp_stem(photo), head = last ? (size_t)(last - photo) : 0;
    const int length = last ? snprintf(out, size, "%.*s/labels/%.*s.txt", (int)head, photo,
                                       (int)(stem - head - sizeof "/images/" + 1),
                                       photo + head + sizeof "/images/" - 1)
                            : snprintf(out, size, "%.*s.txt", (int)stem, photo);
    return length > 0 && (size_t)length < size;
}

static deeper_status read_photo(dp_boxes_reader *reader, const char *folder, const char *name) {
    dp_boxes *b = reader->boxes;
    size_t photo = 0, size = 0;
    char labels[4096];
    void *text = NULL;
    dp_image image = { 0 };
    deeper_error wrong = { 0 };
    DP_TRY(dp_boxes_add_photo(reader, folder, name, (int64_t)b->photo_count, &photo));
    const char *path = dp_boxes_text(b, b->photos[photo].name);
    if (!labels_path(labels, sizeof labels, path) || dp_is_folder(labels) != 0)
        return DEEPER_OK;
    DP_TRY(dp_boxes_read_file(reader, labels, &text, &size));
    deeper_status status =
        size ? dp_picture_read(&image, path, NULL, b->allocator, &wrong) : DEEPER_OK;
    b->photos[photo].width = image.width;
    b->photos[photo].height = image.height;
    dp_image_free(&image);
    if (status == DEEPER_ERROR_MEMORY)
        dp_fail(reader->error, status, "%s", wrong.message);
    else if (status != DEEPER_OK) {
        dp_boxes_fault(b, DP_BOX_DAMAGED, "%s; its boxes are left out", wrong.message);
        status = DEEPER_OK;
    } else if (text)
        status = dp_yolo_parse(reader, photo, text, size, labels);
    dp_free(b->allocator, text);
    return status;
}

static deeper_status read_folder(dp_boxes_reader *reader, const char *folder, int depth) {
    const deeper_allocator *allocator = reader->boxes->allocator;
    dp_listing listing;
    DP_TRY(dp_listing_read(&listing, folder, allocator, reader->error));
    deeper_status status = DEEPER_OK;
    for (size_t i = 0; status == DEEPER_OK && i < listing.count; i++) {
        if (listing.folders[i] && depth > 0) {
            char *inner = dp_path_join(allocator, folder, listing.names[i]);
            status = inner ? read_folder(reader, inner, depth - 1)
                           : dp_fail_memory(reader->error, "a path");
            dp_free(allocator, inner);
        } else if (!listing.folders[i] && dp_is_picture_name(listing.names[i])) {
            status = read_photo(reader, folder, listing.names[i]);
        }
    }
    dp_listing_free(&listing, allocator);
    return status;
}

/* Names of the classes, a line each, where such a file is. */
static deeper_status read_names(dp_boxes_reader *reader, const char *path) {
    void *text = NULL;
    size_t size = 0, length = 0, index = 0;
    const char *line;
    deeper_status status = dp_boxes_read_file(reader, path, &text, &size);
    dp_lines lines = { .text = text, .size = text ? size : 0 };
    while (status == DEEPER_OK && dp_lines_next(&lines, &line, &length))
        if (length)
            status =
                dp_boxes_class(reader, line, length, (int64_t)reader->boxes->class_count, &index);
    dp_free(reader->boxes->allocator, text);
    return status;
}

/* Reads data.yaml, at `path`; *part_folder is where the chosen part's photos are, freed by the
 * caller, NULL: it does not say. A path that is not there from the yaml's `path` is tried from its
 * own folder, and without "../" in front, as Roboflow's exports need it. */
static deeper_status read_yaml(dp_boxes_reader *reader, const char *path, dp_yolo_yaml *yaml) {
    void *text = NULL;
    size_t size = 0;
    DP_TRY(dp_file_read(&text, &size, path, 1 << 20, reader->boxes->allocator, reader->error));
    deeper_status status = dp_yolo_yaml_parse(yaml, reader, text, size, path);
    dp_free(reader->boxes->allocator, text);
    for (int i = 0; status == DEEPER_OK && i < DP_YOLO_PARTS; i++)
        if (yaml->parts[i][0])
            status = dp_boxes_add_part(reader, dp_yolo_parts[i], strlen(dp_yolo_parts[i]));
    return status;
}

static deeper_status read_part(dp_boxes_reader *reader, const char *own, const dp_yolo_yaml *yaml,
                               const char *part) {
    char tries[4][6200];
    const char *plain = strncmp(part, "../", 3) == 0 ? part + 3 : part;
    const char *root = yaml->root;
    snprintf(tries[0], sizeof tries[0], "%s%s%s/%s", root[0] == '/' ? "" : own,
             root[0] == '/' ? "" : "/", root, part);
    snprintf(tries[1], sizeof tries[1], "%s/%s", own, part);
    snprintf(tries[2], sizeof tries[2], "%s/%s", own, plain);
    snprintf(tries[3], sizeof tries[3], "%s/%s/images", own, plain);
    if (part[0] == '/')
        snprintf(tries[0], sizeof tries[0], "%s", part);
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++)
        if (dp_is_folder(tries[i]) == 1)
            return read_folder(reader, tries[i], 4);
    return dp_fail(reader->error, DEEPER_ERROR_IO,
                   "%s: the folder of photos '%s' is not there; mend `path` or the part in it",
                   reader->boxes->path, part);
}

/* A set by its yaml in folder `own`. */
static deeper_status read_by_yaml(dp_boxes_reader *reader, const char *path, const char *own) {
    dp_yolo_yaml yaml;
    DP_TRY(read_yaml(reader, path, &yaml));
    DP_TRY(dp_boxes_choose_part(reader));
    const char *part = dp_boxes_part(reader->boxes);
    deeper_status status = DEEPER_OK;
    for (int i = 0; status == DEEPER_OK && i < DP_YOLO_PARTS; i++)
        if (yaml.parts[i][0] && (!part || strcmp(part, dp_yolo_parts[i]) == 0))
            status = read_part(reader, own, &yaml, yaml.parts[i]);
    return status;
}

/* A folder with images and labels in it; classes are named there or one folder up. */
static deeper_status read_plain(dp_boxes_reader *reader, const char *path) {
    static const char *const files[] = { "classes.txt", "obj.names", "../data.yaml",
                                         "../classes.txt", "../obj.names" };
    const deeper_allocator *allocator = reader->boxes->allocator;
    dp_yolo_yaml yaml;
    deeper_status status = DEEPER_OK;
    DP_TRY(dp_boxes_choose_part(reader));
    for (size_t i = 0; status == DEEPER_OK && i < sizeof files / sizeof *files; i++) {
        char *file = dp_path_join(allocator, path, files[i]);
        if (!file)
            return dp_fail_memory(reader->error, "a path");
        const bool there = dp_is_folder(file) == 0;
        if (there && strstr(files[i], ".yaml")) {
            status = read_yaml(reader, file, &yaml);
            reader->boxes->part_count = 0; /* those of the whole, of which this is one */
        } else if (there) {
            status = read_names(reader, file);
        }
        dp_free(allocator, file);
        if (there)
            break;
    }
    char *images = dp_path_join(allocator, path, "images");
    if (!images)
        return dp_fail_memory(reader->error, "a path");
    if (status == DEEPER_OK)
        status = read_folder(reader, dp_is_folder(images) == 1 ? images : path, 4);
    dp_free(allocator, images);
    return status;
}

deeper_status dp_read_yolo(dp_boxes_reader *reader, const char *path) {
    const deeper_allocator *allocator = reader->boxes->allocator;
    const bool folder = dp_is_folder(path) == 1;
    char *yaml = folder ? dp_path_join(allocator, path, "data.yaml") : dp_strdup(allocator, path);
    char *own = dp_strdup(allocator, path);
    deeper_status status = DEEPER_ERROR_MEMORY;
    if (yaml && own) {
        char *slash = strrchr(own, '/');
        if (!folder && slash)
            *slash = '\0';
        if (dp_is_folder(yaml) == 0)
            status = read_by_yaml(reader, yaml, folder || slash ? own : ".");
        else
            status = read_plain(reader, path);
    } else {
        dp_fail_memory(reader->error, "a path");
    }
    dp_free(allocator, yaml);
    dp_free(allocator, own);
    return status;
}
