/* output.c - one file of a report: memory, locale and disk in one place, so that the writers of the
 * formats only append. */
#include "report/output.h"

#include "base/files.h"
#include "base/number.h"

enum { FILE_LIMIT = 1 << 29 }; /* bytes; hundreds of the largest thumbnails */

static deeper_status write_file(const char *path, const dp_buffer *buffer,
                                const deeper_allocator *allocator, deeper_error *error) {
    dp_writer *writer = NULL;
    DP_TRY(dp_writer_open(&writer, path, allocator, error));
    dp_writer_put(writer, buffer->data, buffer->size);
    return dp_writer_commit(writer, error);
}

deeper_status dp_report_output(const char *path, dp_report_fill *fill, const void *context,
                               const deeper_allocator *allocator, deeper_error *error) {
    dp_buffer buffer;
    dp_buffer_init(&buffer, allocator, FILE_LIMIT);
    dp_c_locale locale = dp_c_locale_enter();
    deeper_status status = fill(&buffer, context, error);
    dp_c_locale_leave(locale);
    if (status == DEEPER_OK && buffer.failed)
        status = dp_fail(error, DEEPER_ERROR_MEMORY, "%s: out of memory to write it", path);
    if (status == DEEPER_OK)
        status = write_file(path, &buffer, allocator, error);
    dp_buffer_free(&buffer);
    return status;
}
