/* boxes_read.c - what the readers of boxed sets share: names, classes, photos, boxes and faults
 * added to a set; lines and words of a text. */
#include "data/boxes_read.h"
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void dp_boxes_fault(dp_boxes *boxes, dp_box_fault fault, const char *format, ...) {
    char message[DEEPER_MESSAGE_SIZE];
    deeper_error line = { 0 };
    va_list arguments;
    boxes->faults[fault]++;
    if (!boxes->problem)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    dp_fail(&line, DEEPER_ERROR_FORMAT, "%s", message); /* one line, whatever is in a name */
    boxes->problem(boxes->context, line.message);
}

/* Puts a name into the set's text; *begin is where. */
static bool add_text(dp_boxes *boxes, size_t *begin, const char *folder, const char *name,
                     size_t size) {
    const size_t length = strlen(folder);
    *begin = boxes->text.size;
    if (length)
        dp_buffer_append(&boxes->text, folder, length);
    if (length && folder[length - 1] != '/')
        dp_buffer_append(&boxes->text, "/", 1);
    if (size)
        dp_buffer_append(&boxes->text, name, size);
    return dp_buffer_append(&boxes->text, "", 1) && !boxes->text.failed;
}

static deeper_status no_room(dp_boxes_reader *reader) {
    return dp_fail_memory(reader->error, "a set of boxes");
}

deeper_status dp_boxes_add_part(dp_boxes_reader *reader, const char *name, size_t size) {
    dp_boxes *b = reader->boxes;
    void *parts = b->parts;
    if (!dp_reserve(b->allocator, &parts, &b->part_capacity, b->part_count + 1, sizeof *b->parts))
        return no_room(reader);
    b->parts = parts;
    if (!add_text(b, &b->parts[b->part_count], "", name, size))
        return no_room(reader);
    b->part_count++;
    return DEEPER_OK;
}

deeper_status dp_boxes_choose_part(dp_boxes_reader *reader) {
    static const char *const usual[] = { "val", "valid", "validation", "test" };
    dp_boxes *b = reader->boxes;
    const char *wanted = reader->options->part;
    char names[256] = "";
    if (wanted && strcmp(wanted, "all") == 0)
        return DEEPER_OK;
    for (size_t u = 0; !wanted && u < sizeof usual / sizeof *usual && !dp_boxes_part(b); u++)
        for (size_t i = 0; i < b->part_count; i++)
            if (strcmp(dp_boxes_text(b, b->parts[i]), usual[u]) == 0)
                b->part = i;
    for (size_t i = 0; wanted && i < b->part_count; i++) {
        const char *name = dp_boxes_text(b, b->parts[i]);
        if (strcmp(name, wanted) == 0)
            b->part = i;
        const size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", name);
    }
    if (!wanted || dp_boxes_part(b))
        return DEEPER_OK;
    return dp_fail(reader->error, DEEPER_ERROR_ARGUMENT, "%s: no part '%s'; there %s", b->path,
                   wanted, b->part_count ? names : "are none");
}

deeper_status dp_boxes_class(dp_boxes_reader *reader, const char *name, size_t size, int64_t id,
                             size_t *index) {
    dp_boxes *b = reader->boxes;
    if (dp_name_index_get(&reader->classes, name, size, index))
        return DEEPER_OK;
    if (b->class_count >= DP_BOXES_CLASSES)
        return dp_fail(reader->error, DEEPER_ERROR_LIMIT, "%s: more than %d classes", b->path,
                       DP_BOXES_CLASSES);
    void *classes = b->classes;
    if (!dp_reserve(b->allocator, &classes, &b->class_capacity, b->class_count + 1,
                    sizeof *b->classes))
        return no_room(reader);
    b->classes = classes;
    dp_boxed_class added = { .id = id };
    if (!add_text(b, &added.name, "", name, size)
        || !dp_name_index_add(&reader->classes, name, size, b->class_count))
        return no_room(reader);
    *index = b->class_count;
    b->classes[b->class_count++] = added;
    return DEEPER_OK;
}

deeper_status dp_boxes_add_photo(dp_boxes_reader *reader, const char *folder, const char *name,
                                 int64_t id, size_t *index) {
    dp_boxes *b = reader->boxes;
    dp_boxed_photo photo = { .id = id };
    if (b->photo_count >= DP_BOXES_PHOTOS)
        return dp_fail(reader->error, DEEPER_ERROR_LIMIT, "%s: more than %d photos", b->path,
                       DP_BOXES_PHOTOS);
    void *photos = b->photos;
    if (!dp_reserve(b->allocator, &photos, &b->photo_capacity, b->photo_count + 1,
                    sizeof *b->photos))
        return no_room(reader);
    b->photos = photos;
    if (!add_text(b, &photo.name, name[0] == '/' ? "" : folder, name, strlen(name)))
        return no_room(reader);
    *index = b->photo_count;
    b->photos[b->photo_count++] = photo;
    return DEEPER_OK;
}

deeper_status dp_boxes_add(dp_boxes_reader *reader, const deeper_truth *box, const char *where) {
    dp_boxes *b = reader->boxes;
    const double sides[4] = { box->box.x, box->box.y, box->box.width, box->box.height };
    for (int i = 0; i < 4; i++)
        if (!isfinite(sides[i]) || fabs(sides[i]) > 1e9 || (i >= 2 && sides[i] < 0)) {
            dp_boxes_fault(b, DP_BOX_NUMBER, "%s: a box of %g x %g at (%g, %g) is none", where,
                           sides[2], sides[3], sides[0], sides[1]);
            return DEEPER_OK;
        }
    void *boxes = b->boxes;
    if (!dp_reserve(b->allocator, &boxes, &b->box_capacity, b->box_count + 1, sizeof *b->boxes))
        return no_room(reader);
    b->boxes = boxes;
    deeper_truth *added = &b->boxes[b->box_count++];
    *added = *box;
    if (!(added->area >= 0 && added->area <= 1e18))
        added->area = box->box.width * box->box.height;
    return DEEPER_OK;
}

bool dp_is_picture_name(const char *name) {
    static const char *const endings[] = { ".jpg", ".jpeg", ".png", ".webp",
                                           ".bmp", ".ppm",  ".pgm", ".pbm" };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return true;
    return false;
}

size_t dp_stem(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && !strchr(dot, '/') ? (size_t)(dot - name) : strlen(name);
}

deeper_status dp_boxes_read_file(dp_boxes_reader *reader, const char *path, void **text,
                                 size_t *size) {
    deeper_error wrong = { 0 };
    const deeper_status status =
        dp_file_read(text, size, path, DP_BOXES_FILE, reader->boxes->allocator, &wrong);
    if (status == DEEPER_OK)
        return DEEPER_OK;
    *text = NULL;
    if (status == DEEPER_ERROR_MEMORY)
        return no_room(reader);
    dp_boxes_fault(reader->boxes, DP_BOX_UNREADABLE, "%s", wrong.message);
    return DEEPER_OK;
}

static deeper_status parse_in(dp_boxes_reader *reader, const char *folder, const char *path,
                              dp_boxes_parse *parse) {
    const deeper_allocator *allocator = reader->boxes->allocator;
    dp_map map = { 0 };
    char *images = dp_path_join(allocator, *folder ? folder : ".", "images");
    if (!images)
        return no_room(reader);
    const char *photos = reader->options->photos;
    deeper_status status = dp_map_open(&map, path, 0, reader->error);
    if (!photos)
        photos = dp_is_folder(images) == 1 ? images : folder;
    if (status == DEEPER_OK)
        status = parse(reader, map.size ? (const char *)map.data : "", map.size, photos, path);
    dp_map_close(&map);
    dp_free(allocator, images);
    return status;
}

/* The path of the folder's file that ends so, to be freed; NULL: out of memory, or there is none.
 */
static char *only_file(dp_boxes_reader *reader, const char *folder, const char *ending) {
    const deeper_allocator *allocator = reader->boxes->allocator;
    dp_listing listing;
    char *path = NULL;
    if (dp_listing_read(&listing, folder, allocator, reader->error) != DEEPER_OK)
        return NULL;
    for (size_t i = 0; i < listing.count && !path; i++) {
        const char *dot = strrchr(listing.names[i], '.');
        if (!listing.folders[i] && dot && strcmp(dot, ending) == 0)
            path = dp_path_join(allocator, folder, listing.names[i]);
    }
    dp_listing_free(&listing, allocator);
    return path;
}

deeper_status dp_boxes_parse_file(dp_boxes_reader *reader, const char *path, const char *ending,
                                  dp_boxes_parse *parse) {
    const deeper_allocator *allocator = reader->boxes->allocator;
    DP_TRY(dp_boxes_choose_part(reader));
    char *file =
        dp_is_folder(path) == 1 ? only_file(reader, path, ending) : dp_strdup(allocator, path);
    char *folder = file ? dp_strdup(allocator, file) : NULL;
    deeper_status status = DEEPER_ERROR_MEMORY;
    if (folder) {
        char *slash = strrchr(folder, '/');
        folder[slash ? slash - folder + 1 : 0] = '\0';
        status = parse_in(reader, folder, file, parse);
    } else {
        no_room(reader);
    }
    dp_free(allocator, file);
    dp_free(allocator, folder);
    return status;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

bool dp_lines_next(dp_lines *lines, const char **line, size_t *size) {
    if (lines->next >= lines->size)
        return false;
    const char *begin = lines->text + lines->next;
    if (lines->next == 0)
        begin += dp_byte_order_mark(begin, lines->size);
    const char *limit = lines->text + lines->size;
    const char *end = begin < limit ? memchr(begin, '\n', (size_t)(limit - begin)) : NULL;
    end = end ? end : limit;
    lines->next = (size_t)(end - lines->text) + 1;
    lines->number++;
    while (end > begin && is_blank(end[-1]))
        end--;
    *line = begin;
    *size = (size_t)(end - begin);
    return true;
}

bool dp_word(const char *line, size_t size, size_t *at, const char **word, size_t *length) {
    while (*at < size && is_blank(line[*at]))
        ++*at;
    const size_t begin = *at;
    while (*at < size && !is_blank(line[*at]))
        ++*at;
    *word = line + begin;
    *length = *at - begin;
    return *at > begin;
}
