/* read_csv.c - a table of boxes (table.h) as a set: a line without class and corners is a photo
 * without boxes. */
#include "data/box_table.h"
#include "data/boxes_read.h"

#include <string.h>

typedef struct work {
    dp_boxes_reader *reader;
    const char *folder;
} work;

/* *photo = that of the line, added if it is new. */
static deeper_status take_photo(const work *w, const dp_box_table *table, size_t *photo) {
    dp_boxes_reader *reader = w->reader;
    dp_boxes *b = reader->boxes;
    const char *name = dp_box_table_text(table, DP_COLUMN_PHOTO);
    const double width = dp_box_table_number(table, DP_COLUMN_WIDTH);
    const double height = dp_box_table_number(table, DP_COLUMN_HEIGHT);
    if (dp_name_index_get(&reader->photos, name, strlen(name), photo))
        return DEEPER_OK;
    DP_TRY(dp_boxes_add_photo(reader, w->folder, name, (int64_t)b->photo_count, photo));
    if (!dp_name_index_add(&reader->photos, name, strlen(name), *photo))
        return dp_fail_memory(reader->error, "the names of photos");
    if (width >= 1 && width <= 1e9 && height >= 1 && height <= 1e9) {
        b->photos[*photo].width = (int)width;
        b->photos[*photo].height = (int)height;
    }
    return DEEPER_OK;
}

static deeper_status take(void *context, const dp_box_table *table, const char *where) {
    const work *w = context;
    dp_boxes *b = w->reader->boxes;
    const char *name = dp_box_table_text(table, DP_COLUMN_CLASS);
    deeper_truth box = { .area = -1, .box = dp_box_table_box(table) };
    if (!*dp_box_table_text(table, DP_COLUMN_PHOTO)) {
        dp_boxes_fault(b, DP_BOX_ENTRY, "%s: no name of a photo, or a line that is too long",
                       where);
        return DEEPER_OK;
    }
    DP_TRY(take_photo(w, table, &box.image));
    if (!*name && !*dp_box_table_text(table, DP_COLUMN_X0))
        return DEEPER_OK;
    if (!*name) {
        dp_boxes_fault(b, DP_BOX_CLASS, "%s: no class", where);
        return DEEPER_OK;
    }
    DP_TRY(
        dp_boxes_class(w->reader, name, strlen(name), (int64_t)b->class_count, &box.class_index));
    return dp_boxes_add(w->reader, &box, where);
}

deeper_status dp_csv_parse(dp_boxes_reader *reader, const char *text, size_t size,
                           const char *folder, const char *name) {
    work w = { reader, folder };
    return dp_box_table_read(text, size, name, DP_COLUMN_PHOTO, take, &w, reader->boxes->allocator,
                             reader->error);
}

deeper_status dp_read_csv(dp_boxes_reader *reader, const char *path) {
    return dp_boxes_parse_file(reader, path, ".csv", dp_csv_parse);
}
