/* read_window.c - window files of Caffe's WindowDataLayer, with which R-CNN was trained:
 *     # INDEX
 *     PATH
 *     CHANNELS
 *     HEIGHT
 *     WIDTH
 *     WINDOWS
 *     CLASS OVERLAP X1 Y1 X2 Y2      (so many lines; pixels from 0, both ends included)
 * Windows of overlap 1 and a class above 0 are the boxes; the others are proposals. Classes are
 * numbers. */
#include "base/number.h"
#include "data/boxes_read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The numbers of a line, at most `count`; how many there are, 0 if one word is none. */
static size_t numbers(double *values, size_t count, const char *line, size_t size) {
    const char *word;
    size_t at = 0, length = 0, got = 0;
    while (got < count && dp_word(line, size, &at, &word, &length))
        if (!dp_number_parse(word, length, &values[got++]))
            return 0;
    return dp_word(line, size, &at, &word, &length) ? 0 : got;
}

static deeper_status take_window(dp_boxes_reader *reader, size_t photo, const char *line,
                                 size_t size, const char *where) {
    double v[6];
    char name[32];
    deeper_truth box = { .image = photo, .area = -1 };
    if (numbers(v, 6, line, size) != 6 || !(v[0] >= 0 && v[0] <= DP_BOXES_CLASSES)
        || v[0] != floor(v[0])) {
        dp_boxes_fault(reader->boxes, DP_BOX_ENTRY, "%s: no `CLASS OVERLAP X1 Y1 X2 Y2`", where);
        return DEEPER_OK;
    }
    if (v[1] < 1 || v[0] < 1)
        return DEEPER_OK;
    const int length = snprintf(name, sizeof name, "%.0f", v[0]);
    DP_TRY(dp_boxes_class(reader, name, (size_t)length, (int64_t)v[0], &box.class_index));
    box.box = (deeper_box){ v[2], v[3], v[4] - v[2] + 1, v[5] - v[3] + 1 };
    return dp_boxes_add(reader, &box, where);
}

/* The lines of a photo after its `#`; false: one is not of the form. */
static deeper_status take_photo(dp_boxes_reader *reader, dp_lines *lines, const char *folder,
                                const char *name, bool *sound) {
    const char *line = NULL;
    size_t size = 0, photo = 0;
    double head[4];
    char path[2048], where[DEEPER_MESSAGE_SIZE];
    *sound = dp_lines_next(lines, &line, &size) && size > 0 && size < sizeof path
             && !memchr(line, 0, size);
    if (*sound) {
        memcpy(path, line, size);
        path[size] = '\0';
    }
    for (int i = 0; *sound && i < 4; i++)
        *sound = dp_lines_next(lines, &line, &size) && numbers(&head[i], 1, line, size) == 1
                 && head[i] >= 0 && head[i] <= 1e9;
    if (!*sound)
        return DEEPER_OK;
    DP_TRY(dp_boxes_add_photo(reader, folder, path, (int64_t)reader->boxes->photo_count, &photo));
    if (head[1] >= 1 && head[2] >= 1) {
        reader->boxes->photos[photo].height = (int)head[1];
        reader->boxes->photos[photo].width = (int)head[2];
    }
    for (double i = 0; i < head[3]; i++) {
        *sound = dp_lines_next(lines, &line, &size);
        if (!*sound)
            return DEEPER_OK;
        snprintf(where, sizeof where, "%.300s:%zu", name, lines->number);
        DP_TRY(take_window(reader, photo, line, size, where));
    }
    return DEEPER_OK;
}

deeper_status dp_window_parse(dp_boxes_reader *reader, const char *text, size_t size,
                              const char *folder, const char *name) {
    dp_lines lines = { .text = text, .size = size };
    const char *line;
    size_t length;
    while (dp_lines_next(&lines, &line, &length)) {
        if (length == 0)
            continue;
        bool sound = line[0] == '#' && length > 1;
        if (sound)
            DP_TRY(take_photo(reader, &lines, folder, name, &sound));
        if (!sound) {
            dp_boxes_fault(reader->boxes, DP_BOX_UNREADABLE,
                           "%s:%zu: not of the form of a window file; what follows is left out",
                           name, lines.number);
            break;
        }
    }
    return DEEPER_OK;
}

deeper_status dp_read_window(dp_boxes_reader *reader, const char *path) {
    return dp_boxes_parse_file(reader, path, ".txt", dp_window_parse);
}
