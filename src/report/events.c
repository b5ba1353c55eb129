/* events.c - a TensorBoard event file. A record, all numbers little-endian:
 *     uint64 length, uint32 masked CRC of those 8 bytes,
 *     the Event message, uint32 masked CRC of the message
 * The CRC is CRC-32C (Castagnoli, RFC 3720 B.4), masked so that a CRC over data with CRCs in it
 * stays a good one: rotated right by 15 and 0xA282EAD8 added. protobuf-c packs the messages; it
 * allocates nothing for that. */
#include "report/columns.h"
#include "report/crc32c.h"
#include "report/markup.h"
#include "report/output.h"
#include "report/report.h"

#include "events.pb-c.h"

#include <string.h>

#define FILE_VERSION "brain.Event:2" /* what readers ask for in the first record */

typedef struct job {
    const dp_report *report;
    double started;
} job;

static void put_little(dp_buffer *buffer, uint64_t value, size_t size) {
    unsigned char bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
    dp_buffer_append(buffer, bytes, size);
}

static uint32_t mask(uint32_t crc) {
    return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

static deeper_status put_record(dp_buffer *buffer, const Tensorboard__Event *event,
                                deeper_error *error) {
    size_t size = tensorboard__event__get_packed_size(event);
    unsigned char *packed = dp_alloc_raw(buffer->allocator, size, 1);
    if (!packed)
        return dp_fail_memory(error, "a TensorBoard event");
    tensorboard__event__pack(event, packed);
    size_t start = buffer->size;
    put_little(buffer, size, 8);
    if (!buffer->failed)
        put_little(buffer, mask(dp_crc32c(buffer->data + start, 8)), 4);
    dp_buffer_append(buffer, packed, size);
    put_little(buffer, mask(dp_crc32c(packed, size)), 4);
    dp_free(buffer->allocator, packed);
    return DEEPER_OK;
}

/* The tags of all columns, one after the other in `text`, each ended by a zero byte. */
static void put_tags(dp_buffer *text, const dp_column *columns, size_t count) {
    for (size_t i = 0; i < count; i++) {
        dp_markup_plain(text, columns[i].tag);
        if (columns[i].head) {
            dp_markup_plain(text, "_");
            dp_markup_plain(text, columns[i].head);
        }
        dp_buffer_append(text, "", 1);
    }
}

static deeper_status put_epochs(dp_buffer *buffer, const job *work, const dp_column *columns,
                                size_t count, char *tags, deeper_error *error) {
    Tensorboard__Summary__Value values[DP_COLUMNS_MAX], *pointers[DP_COLUMNS_MAX];
    for (size_t i = 0; i < count; i++) {
        values[i] = (Tensorboard__Summary__Value)TENSORBOARD__SUMMARY__VALUE__INIT;
        values[i].tag = tags;
        values[i].has_simple_value = 1;
        pointers[i] = &values[i];
        tags += strlen(tags) + 1;
    }
    Tensorboard__Summary summary = TENSORBOARD__SUMMARY__INIT;
    summary.n_value = count;
    summary.value = pointers;
    for (size_t row = 0; row < work->report->epoch_count; row++) {
        const dp_report_epoch *epoch = &work->report->epochs[row];
        for (size_t i = 0; i < count; i++)
            values[i].simple_value = (float)dp_column_value(&columns[i], epoch);
        Tensorboard__Event event = TENSORBOARD__EVENT__INIT;
        event.has_wall_time = event.has_step = 1;
        event.wall_time = work->started + epoch->seconds;
        event.step = epoch->epoch;
        event.summary = &summary;
        DP_TRY(put_record(buffer, &event, error));
    }
    return DEEPER_OK;
}

static deeper_status fill(dp_buffer *buffer, const void *context, deeper_error *error) {
    const job *work = context;
    char version[] = FILE_VERSION;
    Tensorboard__Event first = TENSORBOARD__EVENT__INIT;
    first.has_wall_time = 1;
    first.wall_time = work->started;
    first.file_version = version;
    DP_TRY(put_record(buffer, &first, error));

    dp_column columns[DP_COLUMNS_MAX];
    size_t count = dp_columns(columns, work->report);
    dp_buffer tags;
    dp_buffer_init(&tags, buffer->allocator, buffer->limit);
    put_tags(&tags, columns, count);
    deeper_status status = tags.failed ? dp_fail_memory(error, "the tags of TensorBoard events")
                                       : put_epochs(buffer, work, columns, count, tags.data, error);
    dp_buffer_free(&tags);
    return status;
}

deeper_status dp_report_write_events(const dp_report *report, double started, const char *path,
                                     const deeper_allocator *allocator, deeper_error *error) {
    job work = { .report = report, .started = started };
    return dp_report_output(path, fill, &work, allocator, error);
}
