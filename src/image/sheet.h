/* sheet.h - small pictures side by side on one large white one, to be looked at together.
 * What it does not do: text. */
#ifndef DP_IMAGE_SHEET_H
#define DP_IMAGE_SHEET_H

#include "image/image.h"

typedef struct dp_sheet {
    dp_image image; /* rows x (cell + margin) + margin high; likewise wide */
    int columns, rows, cell, margin;
} dp_sheet;

/* A white sheet of columns x rows square cells of `cell` pixels, `margin` pixels between them and
 * around. Freed by dp_image_free of its image. Errors: ARGUMENT (no cells), LIMIT (more than
 * DP_MAX_PIXELS), MEMORY. */
deeper_status dp_sheet_create(dp_sheet *sheet, int columns, int rows, int cell, int margin,
                              const deeper_allocator *allocator, deeper_error *error);

/* Copies a picture into a cell, at its centre; of one that is larger the middle is shown. column
 * and row must be in range. */
void dp_sheet_put(dp_sheet *sheet, int column, int row, const dp_image *picture);

/* Writes the sheet as PNG, shrunk where it has more than some 400,000 pixels: a sheet of photos is
 * then below a megabyte. Errors: those of dp_image_resize and dp_png_write. */
deeper_status dp_sheet_write(const char *path, const dp_sheet *sheet,
                             const deeper_allocator *allocator, deeper_error *error);

#endif
