/* sheet.c - cells on a sheet, as sheet.h defines them. */
#include "image/sheet.h"

#include "image/png_encode.h"
#include "image/resize.h"

#include <math.h>
#include <string.h>

enum { WHITE = 255, PIXELS_WRITTEN = 400000 };

deeper_status dp_sheet_create(dp_sheet *sheet, int columns, int rows, int cell, int margin,
                              const deeper_allocator *allocator, deeper_error *error) {
    *sheet = (dp_sheet){ .columns = columns, .rows = rows, .cell = cell, .margin = margin };
    if (columns < 1 || rows < 1 || cell < 1 || margin < 0)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "a sheet of %d x %d pictures of %d pixels, %d between them", columns, rows,
                       cell, margin);
    int64_t step = (int64_t)cell + margin, width = columns * step + margin,
            height = rows * step + margin;
    if (width > DP_MAX_PIXELS || height > DP_MAX_PIXELS / width)
        return dp_fail(error, DEEPER_ERROR_LIMIT,
                       "a sheet of %lld x %lld pixels; take fewer pictures", (long long)width,
                       (long long)height);
    size_t pixels = (size_t)(width * height);
    uint8_t *bytes = dp_alloc_raw(allocator, pixels, 3);
    if (!bytes)
        return dp_fail_memory(error, "a sheet of pictures");
    memset(bytes, WHITE, 3 * pixels);
    sheet->image = (dp_image){
        .width = (int)width, .height = (int)height, .pixels = bytes, .allocator = allocator
    };
    return DEEPER_OK;
}

/* Along one direction: what of `size` pixels is shown in the cell, and where in it. */
static void fit(int size, int cell, int *from, int *to, int *count) {
    *from = size > cell ? (size - cell) / 2 : 0;
    *to = size < cell ? (cell - size) / 2 : 0;
    *count = size < cell ? size : cell;
}

void dp_sheet_put(dp_sheet *sheet, int column, int row, const dp_image *picture) {
    int from_x, from_y, to_x, to_y, width, height, step = sheet->cell + sheet->margin;
    fit(picture->width, sheet->cell, &from_x, &to_x, &width);
    fit(picture->height, sheet->cell, &from_y, &to_y, &height);
    to_x += sheet->margin + column * step;
    to_y += sheet->margin + row * step;
    for (int y = 0; y < height; y++)
        memcpy(sheet->image.pixels
                   + ((size_t)(to_y + y) * (size_t)sheet->image.width + (size_t)to_x) * 3,
               picture->pixels
                   + ((size_t)(from_y + y) * (size_t)picture->width + (size_t)from_x) * 3,
               (size_t)width * 3);
}

deeper_status dp_sheet_write(const char *path, const dp_sheet *sheet,
                             const deeper_allocator *allocator, deeper_error *error) {
    const double pixels = (double)sheet->image.width * (double)sheet->image.height;
    if (pixels <= PIXELS_WRITTEN)
        return dp_png_write(path, &sheet->image, allocator, error);
    const double shrink = sqrt(PIXELS_WRITTEN / pixels);
    dp_image small;
    DP_TRY(dp_image_resize(&small, &sheet->image, NULL, (int)ceil(sheet->image.width * shrink),
                           (int)ceil(sheet->image.height * shrink), DP_FILTER_BICUBIC, allocator,
                           error));
    deeper_status status = dp_png_write(path, &small, allocator, error);
    dp_image_free(&small);
    return status;
}
