/* csv.c - log.csv (RFC 4180, comma, UTF-8): epoch, the columns of columns.c, best as 0 or 1,
 * warnings. Numbers have 9 digits; what is not finite stands as nan, inf or -inf, as pandas, R and
 * spreadsheets' importers know it. */
#include "base/text.h"
#include "report/columns.h"
#include "report/markup.h"
#include "report/output.h"
#include "report/report.h"

#include <math.h>

enum { NAME_LIMIT = 4096, WARNINGS_LIMIT = 1 << 20 };

/* Head names come from a network's definition: a cell like any other, so that no name can break the
 * table. */
static void put_name(dp_buffer *buffer, const dp_column *column) {
    dp_buffer name;
    dp_buffer_init(&name, buffer->allocator, NAME_LIMIT);
    dp_buffer_printf(&name, column->head ? "%s_%s" : "%s", column->name, column->head);
    dp_buffer_append(buffer, ",", 1);
    if (name.failed)
        buffer->failed = true;
    else
        dp_put_csv_cell(dp_buffer_sink, buffer, name.data);
    dp_buffer_free(&name);
}

static void put_number(dp_buffer *buffer, double value) {
    if (isfinite(value))
        dp_buffer_printf(buffer, ",%.9g", value);
    else
        dp_buffer_printf(buffer, ",%s", isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
}

/* Those of an epoch, with "; " between them. */
static void put_warnings(dp_buffer *buffer, const dp_report *report, int epoch) {
    dp_buffer cell;
    dp_buffer_init(&cell, buffer->allocator, WARNINGS_LIMIT);
    dp_buffer_append(&cell, "", 0);
    for (size_t i = 0; i < report->warning_count; i++)
        if (report->warnings[i].epoch == epoch)
            dp_buffer_printf(&cell, "%s%s", cell.size ? "; " : "", report->warnings[i].text);
    if (cell.failed)
        buffer->failed = true;
    else
        dp_put_csv_cell(dp_buffer_sink, buffer, cell.data);
    dp_buffer_free(&cell);
}

static deeper_status fill(dp_buffer *buffer, const void *context, deeper_error *error) {
    const dp_report *report = context;
    dp_column columns[DP_COLUMNS_MAX];
    size_t count = dp_columns(columns, report);
    dp_markup_plain(buffer, "epoch");
    for (size_t i = 0; i < count; i++)
        put_name(buffer, &columns[i]);
    dp_markup_plain(buffer, ",best,warnings\n");
    for (size_t row = 0; row < report->epoch_count; row++) {
        const dp_report_epoch *epoch = &report->epochs[row];
        dp_buffer_printf(buffer, "%d", epoch->epoch);
        for (size_t i = 0; i < count; i++)
            put_number(buffer, dp_column_value(&columns[i], epoch));
        dp_buffer_printf(buffer, ",%d,", epoch->best);
        put_warnings(buffer, report, epoch->epoch);
        dp_buffer_append(buffer, "\n", 1);
    }
    return DEEPER_OK;
}

deeper_status dp_report_write_csv(const dp_report *report, const char *path,
                                  const deeper_allocator *allocator, deeper_error *error) {
    return dp_report_output(path, fill, report, allocator, error);
}
