/* boxes_read.h - how a boxed set is put together: what the readers of each form share. Private to
 * src/data. A new form is a file with a reader, a line here and a row in boxes.c. */
#ifndef DP_DATA_BOXES_READ_H
#define DP_DATA_BOXES_READ_H

#include "base/files.h"
#include "data/boxes.h"

enum {
    DP_BOXES_FILE = INT32_MAX,       /* bytes of one file of annotations that is read whole */
    DP_BOXES_CLASSES = 100000,       /* classes of a set */
    DP_BOXES_PHOTOS = INT32_MAX / 64 /* photos of a set */
};

/* A set being read. */
typedef struct dp_boxes_reader {
    dp_boxes *boxes;
    const dp_boxes_options *options;
    dp_name_index classes; /* by name */
    dp_name_index photos;  /* by whatever the form knows them by */
    deeper_error *error;
} dp_boxes_reader;

/* Counts a fault and tells of it in one line. */
void dp_boxes_fault(dp_boxes *boxes, dp_box_fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A part that the set says it has. Errors: MEMORY. */
deeper_status dp_boxes_add_part(dp_boxes_reader *reader, const char *name, size_t size);

/* Which of the set's parts is wanted: *part in its text, NULL for all. Errors: ARGUMENT. */
deeper_status dp_boxes_choose_part(dp_boxes_reader *reader);

/* *index = the class of that name, added with `id` if it is not there. Errors: LIMIT, MEMORY. */
deeper_status dp_boxes_class(dp_boxes_reader *reader, const char *name, size_t size, int64_t id,
                             size_t *index);

/* Adds a photo. folder: "" or what its name is relative to. Errors: LIMIT, MEMORY. */
deeper_status dp_boxes_add_photo(dp_boxes_reader *reader, const char *folder, const char *name,
                                 int64_t id, size_t *index);

/* Adds a box, or tells why not: `where` names it ("FILE:LINE"). area below 0: the box's. Errors:
 * LIMIT, MEMORY. */
deeper_status dp_boxes_add(dp_boxes_reader *reader, const deeper_truth *box, const char *where);

/* Names that end like pictures. */
bool dp_is_picture_name(const char *name);

/* Everything of a name before its last dot, as a size. */
size_t dp_stem(const char *name);

/* A file read whole; what is wrong with it is told and counted (UNREADABLE) and *text NULL. Errors:
 * MEMORY. */
deeper_status dp_boxes_read_file(dp_boxes_reader *reader, const char *path, void **text,
                                 size_t *size);

/* Reads one file, or of a folder the one that ends so, by the parser of its form; photos lie in the
 * folder that the options say, else in "images" beside the file where that is there, else beside
 * it. */
typedef deeper_status dp_boxes_parse(dp_boxes_reader *reader, const char *text, size_t size,
                                     const char *folder, const char *name);
deeper_status dp_boxes_parse_file(dp_boxes_reader *reader, const char *path, const char *ending,
                                  dp_boxes_parse *parse);

/* The readers. path: as dp_boxes_open has it. */
typedef deeper_status dp_boxes_read(dp_boxes_reader *reader, const char *path);
dp_boxes_read dp_read_voc, dp_read_coco, dp_read_yolo, dp_read_csv, dp_read_window;

/* The text of one file of each form (tests/fuzz comes in here). name: for messages. `photo` is in
 * the set. */
deeper_status dp_voc_parse(dp_boxes_reader *reader, size_t photo, const char *text, size_t size,
                           const char *name);
deeper_status dp_yolo_parse(dp_boxes_reader *reader, size_t photo, const char *text, size_t size,
                            const char *name);
dp_boxes_parse dp_coco_parse, dp_csv_parse, dp_window_parse;

/* A line of a text; false at its end. The line is without its end and blanks there. */
typedef struct dp_lines {
    const char *text;
    size_t size, next;
    size_t number; /* of the line that was read last, from 1 */
} dp_lines;
bool dp_lines_next(dp_lines *lines, const char **line, size_t *size);

/* The next word of line[*at..size), between blanks; false: none. */
bool dp_word(const char *line, size_t size, size_t *at, const char **word, size_t *length);

#endif
