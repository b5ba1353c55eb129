/* read_voc.c - Pascal VOC: an XML file a photo, pixels from 1 with both ends included, photos by
 * the stem of the file's name (what the file says of its photo's name is often of another machine),
 * parts as lists of stems in ImageSets/Main. expat reads the XML; a file with a document type is
 * refused, so that no entity can grow. */
#include "base/number.h"
#include "data/boxes_read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if !DP_HAVE_EXPAT

deeper_status dp_voc_parse(dp_boxes_reader *reader, size_t photo, const char *text, size_t size,
                           const char *name) {
    return dp_fail(
        reader->error, DEEPER_ERROR_UNSUPPORTED,
        "%s: this build has no expat to read XML with; give the set as COCO, YOLO or CSV", name);
}

#else
#include <expat.h>

enum { DEPTH = 32, PLACE = 256, TEXT = 1024 };

/* One file being parsed: where in the tree, the text there, the object so far. */
typedef struct voc_file {
    dp_boxes_reader *reader;
    XML_Parser parser;
    const char *name;
    size_t photo, objects;
    char place[PLACE]; /* "annotation/object/bndbox/xmin" */
    size_t ends[DEPTH];
    int depth;
    char text[TEXT];
    size_t size;
    const char *refused;
    deeper_status status;
    char class_name[TEXT];
    double corners[4]; /* xmin, ymin, xmax, ymax; NAN: not said */
    int difficult;
} voc_file;

static void stop(voc_file *file, const char *why) {
    file->refused = why;
    XML_StopParser(file->parser, XML_FALSE);
}

static void begin(void *context, const char *name, const char **attributes) {
    voc_file *file = context;
    const size_t used = file->depth ? file->ends[file->depth - 1] : 0, size = strlen(name);
    if (file->depth == DEPTH || used + size + 2 > PLACE) {
        stop(file, "elements too deep or their names too long");
        return;
    }
    if (used)
        file->place[used] = '/';
    memcpy(file->place + used + (used > 0), name, size + 1);
    file->ends[file->depth++] = used + (used > 0) + size;
    file->size = 0;
    if (strcmp(file->place, "annotation/object") == 0) {
        file->class_name[0] = '\0';
        file->difficult = 0;
        for (int i = 0; i < 4; i++)
            file->corners[i] = (double)NAN;
    }
}

static void characters(void *context, const char *text, int count) {
    voc_file *file = context;
    for (int i = 0; i < count && file->size < TEXT - 1; i++)
        if (file->size > 0 || !strchr(" \t\r\n", text[i]))
            file->text[file->size++] = text[i];
}

static double number(const voc_file *file) {
    double value = (double)NAN;
    return dp_number_parse(file->text, file->size, &value) ? value : (double)NAN;
}

/* Pixels xmin to xmax from 1, both included, are xmax - xmin + 1 from xmin - 1. */
static void add_object(voc_file *file) {
    char where[DEEPER_MESSAGE_SIZE];
    const double *c = file->corners;
    deeper_truth box = { .image = file->photo,
                         .difficult = file->difficult,
                         .area = -1,
                         .box = { c[0] - 1, c[1] - 1, c[2] - c[0] + 1, c[3] - c[1] + 1 } };
    file->objects++;
    snprintf(where, sizeof where, "%s: object %zu", file->name, file->objects);
    if (!file->class_name[0]) {
        dp_boxes_fault(file->reader->boxes, DP_BOX_CLASS, "%s: has no name", where);
        return;
    }
    file->status = dp_boxes_class(file->reader, file->class_name, strlen(file->class_name),
                                  (int64_t)file->reader->boxes->class_count, &box.class_index);
    if (file->status == DEEPER_OK)
        file->status = dp_boxes_add(file->reader, &box, where);
    if (file->status != DEEPER_OK)
        XML_StopParser(file->parser, XML_FALSE);
}

static void end(void *context, const char *name) {
    static const char *const corners[] = { "xmin", "ymin", "xmax", "ymax" };
    static const char box[] = "annotation/object/bndbox/";
    voc_file *file = context;
    dp_boxed_photo *photo = &file->reader->boxes->photos[file->photo];
    while (file->size > 0 && strchr(" \t\r\n", file->text[file->size - 1]))
        file->size--;
    file->text[file->size] = '\0';
    const double value = number(file);
    if (strcmp(file->place, "annotation/object/name") == 0)
        memcpy(file->class_name, file->text, file->size + 1);
    else if (strcmp(file->place, "annotation/object/difficult") == 0)
        file->difficult = value > 0;
    else if (strcmp(file->place, "annotation/size/width") == 0)
        photo->width = value >= 1 && value <= 1e9 ? (int)value : 0;
    else if (strcmp(file->place, "annotation/size/height") == 0)
        photo->height = value >= 1 && value <= 1e9 ? (int)value : 0;
    else if (strcmp(file->place, "annotation/object") == 0)
        add_object(file);
    else if (strncmp(file->place, box, sizeof box - 1) == 0)
        for (int i = 0; i < 4; i++)
            if (strcmp(name, corners[i]) == 0)
                file->corners[i] = value;
    file->depth--;
    file->place[file->depth ? file->ends[file->depth - 1] : 0] = '\0';
    file->size = 0;
}

static void document_type(void *context, const char *name, const char *system, const char *public,
                          int internal) {
    stop(context, "a document type; remove it, for entities are not read");
}

deeper_status dp_voc_parse(dp_boxes_reader *reader, size_t photo, const char *text, size_t size,
                           const char *name) {
    voc_file file = { .reader = reader, .name = name, .photo = photo };
    dp_boxes *b = reader->boxes;
    const size_t before = b->box_count;
    file.parser = XML_ParserCreate(NULL);
    if (!file.parser)
        return dp_fail_memory(reader->error, "an XML parser");
    XML_SetUserData(file.parser, &file);
    XML_SetElementHandler(file.parser, begin, end);
    XML_SetCharacterDataHandler(file.parser, characters);
    XML_SetStartDoctypeDeclHandler(file.parser, document_type);
    const enum XML_Status parsed = XML_Parse(file.parser, text, (int)size, 1);
    if (file.status == DEEPER_OK && parsed != XML_STATUS_OK) {
        const char *why = XML_ErrorString(XML_GetErrorCode(file.parser));
        dp_boxes_fault(b, DP_BOX_UNREADABLE, "%s:%lu: %s", name,
                       (unsigned long)XML_GetCurrentLineNumber(file.parser),
                       file.refused ? file.refused
                       : why        ? why
                                    : "damaged XML");
        b->box_count = before;
    }
    XML_ParserFree(file.parser);
    if (!b->photos[photo].width || !b->photos[photo].height)
        b->photos[photo].width = b->photos[photo].height = 0;
    return file.status;
}

#endif

/* ------------------------------------------------------------------------------------ the folder
 */

/* Puts the photos of a folder into the index by their stems. */
static deeper_status list_photos(dp_boxes_reader *reader, dp_listing *listing, const char *folder) {
    if (dp_is_folder(folder) != 1)
        return DEEPER_OK;
    DP_TRY(dp_listing_read(listing, folder, reader->boxes->allocator, reader->error));
    for (size_t i = 0; i < listing->count; i++) {
        const char *name = listing->names[i];
        size_t known = 0;
        if (listing->folders[i] || !dp_is_picture_name(name)
            || dp_name_index_get(&reader->photos, name, dp_stem(name), &known))
            continue;
        if (!dp_name_index_add(&reader->photos, name, dp_stem(name), i))
            return dp_fail_memory(reader->error, "the names of photos");
    }
    return DEEPER_OK;
}

static deeper_status read_one(dp_boxes_reader *reader, const char *annotations, const char *name,
                              const char *folder, const dp_listing *photos) {
    dp_boxes *b = reader->boxes;
    size_t photo = 0, at = 0, size = 0;
    char guess[1024];
    void *text = NULL;
    char *path = dp_path_join(b->allocator, annotations, name);
    if (!path)
        return dp_fail_memory(reader->error, "a path");
    snprintf(guess, sizeof guess, "%.*s.jpg", (int)dp_stem(name), name);
    const bool there = dp_name_index_get(&reader->photos, name, dp_stem(name), &at);
    deeper_status status = dp_boxes_add_photo(reader, folder, there ? photos->names[at] : guess,
                                              (int64_t)b->photo_count, &photo);
    if (status == DEEPER_OK)
        status = dp_boxes_read_file(reader, path, &text, &size);
    if (status == DEEPER_OK && text)
        status = dp_voc_parse(reader, photo, text, size, path);
    dp_free(b->allocator, text);
    dp_free(b->allocator, path);
    return status;
}

/* The stems of a part, each with number 0. */
static deeper_status read_part(dp_boxes_reader *reader, dp_name_index *stems, const char *sets) {
    dp_boxes *b = reader->boxes;
    char file[256];
    void *text = NULL;
    size_t size = 0, length = 0, known = 0;
    const char *line, *word;
    snprintf(file, sizeof file, "%.200s.txt", dp_boxes_part(b));
    char *path = dp_path_join(b->allocator, sets, file);
    if (!path)
        return dp_fail_memory(reader->error, "a path");
    deeper_status status = dp_boxes_read_file(reader, path, &text, &size);
    dp_lines lines = { .text = text, .size = text ? size : 0 };
    while (status == DEEPER_OK && dp_lines_next(&lines, &line, &size)) {
        size_t at = 0;
        if (dp_word(line, size, &at, &word, &length)
            && !dp_name_index_get(stems, word, length, &known)
            && !dp_name_index_add(stems, word, length, 0))
            status = dp_fail_memory(reader->error, "the photos of a part");
    }
    dp_free(b->allocator, text);
    dp_free(b->allocator, path);
    return status;
}

/* The parts of ImageSets/Main: its files NAME.txt, but for those of a class, CLASS_NAME.txt. */
static deeper_status list_parts(dp_boxes_reader *reader, const char *sets) {
    dp_listing listing;
    deeper_status status = DEEPER_OK;
    if (dp_is_folder(sets) != 1)
        return DEEPER_OK;
    DP_TRY(dp_listing_read(&listing, sets, reader->boxes->allocator, reader->error));
    for (size_t i = 0; status == DEEPER_OK && i < listing.count; i++) {
        const char *name = listing.names[i], *dot = strrchr(name, '.');
        if (dot && strcmp(dot, ".txt") == 0 && !strchr(name, '_'))
            status = dp_boxes_add_part(reader, name, dp_stem(name));
    }
    dp_listing_free(&listing, reader->boxes->allocator);
    return status;
}

static deeper_status read_annotations(dp_boxes_reader *reader, const char *annotations,
                                      const char *folder, const dp_name_index *stems) {
    dp_listing files = { 0 }, photos = { 0 };
    deeper_status status = list_photos(reader, &photos, folder);
    if (status == DEEPER_OK)
        status = dp_listing_read(&files, annotations, reader->boxes->allocator, reader->error);
    for (size_t i = 0; status == DEEPER_OK && i < files.count; i++) {
        const char *name = files.names[i], *dot = strrchr(name, '.');
        size_t number_of_it = 0;
        if (!dot || strcmp(dot, ".xml") != 0
            || (dp_boxes_part(reader->boxes)
                && !dp_name_index_get(stems, name, dp_stem(name), &number_of_it)))
            continue;
        status = read_one(reader, annotations, name, folder, &photos);
    }
    dp_listing_free(&files, reader->boxes->allocator);
    dp_listing_free(&photos, reader->boxes->allocator);
    return status;
}

deeper_status dp_read_voc(dp_boxes_reader *reader, const char *path) {
    const deeper_allocator *allocator = reader->boxes->allocator;
    char *annotations = dp_path_join(allocator, path, "Annotations");
    char *folder = dp_path_join(allocator, path, "JPEGImages");
    char *sets = dp_path_join(allocator, path, "ImageSets/Main");
    dp_name_index stems;
    dp_name_index_init(&stems, allocator);
    deeper_status status = DEEPER_ERROR_MEMORY;
    if (annotations && folder && sets) {
        const bool devkit = dp_is_folder(annotations) == 1;
        const char *photos = reader->options->photos;
        status = devkit ? list_parts(reader, sets) : DEEPER_OK;
        if (status == DEEPER_OK)
            status = dp_boxes_choose_part(reader);
        if (status == DEEPER_OK && dp_boxes_part(reader->boxes))
            status = read_part(reader, &stems, sets);
        if (status == DEEPER_OK)
            status = read_annotations(reader, devkit ? annotations : path,
                                      photos   ? photos
                                      : devkit ? folder
                                               : path,
                                      &stems);
    } else {
        dp_fail_memory(reader->error, "paths of a set");
    }
    dp_name_index_free(&stems);
    dp_free(allocator, annotations);
    dp_free(allocator, folder);
    dp_free(allocator, sets);
    return status;
}
