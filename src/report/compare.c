/* compare.c - the table of a comparison as CSV and as a page. One list of columns feeds both. */
#include "report/compare.h"

#include "base/text.h"
#include "report/markup.h"
#include "report/output.h"
#include "report/page.h"
#include "report/plot.h"

#include <math.h>
#include <string.h>

/* HITS: a count that is shown as its share of the images. */
typedef enum kind { COUNT, REAL, SHARE, HITS } kind;

/* A number of a row. unit: the page shows it divided by this. */
static const struct {
    const char *name;  /* in compare.csv */
    const char *title; /* on the page; NULL: not there */
    size_t offset;
    kind kind;
    double unit;
    int digits;
} columns[] = {
#define AT(member) offsetof(deeper_compared, member)
    { "parameters", "params, M", AT(parameters), COUNT, 1e6, 4 },
    { "multiply_adds", "mult-adds, M", AT(multiply_adds), COUNT, 1e6, 4 },
    { "arena_bytes", "memory, MB", AT(activation_bytes), COUNT, 1e6, 3 },
    { "forward_ms", "image, ms", AT(forward_ms), REAL, 1, 3 },
    { "images_per_second", NULL, AT(forward_images_per_second), REAL, 1, 4 },
    { "training_images_per_second", "training/s", AT(training_images_per_second), REAL, 1, 3 },
    { "joules", "J an image", AT(joules), REAL, 1, 3 },
    { "images_seen", "seen", AT(images_seen), COUNT, 1, 7 },
    { "train_seconds", "trained, s", AT(train_seconds), REAL, 1, 4 },
    { "images", NULL, AT(images), COUNT, 1, 0 },
    { "top1", NULL, AT(top1), HITS, 1, 0 },
    { "top5", NULL, AT(top5), HITS, 1, 0 },
    { "top1_low", NULL, AT(top1_low), SHARE, 1, 0 },
    { "top1_high", NULL, AT(top1_high), SHARE, 1, 0 },
#undef AT
};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* NAN where nothing was measured: counts of 0 too. */
static double value_of(const deeper_compared *row, size_t column) {
    const char *at = (const char *)row + columns[column].offset;
    if (columns[column].kind == REAL || columns[column].kind == SHARE)
        return *(const double *)(const void *)at;
    double count = (double)*(const uint64_t *)(const void *)at;
    if (columns[column].kind == HITS)
        return row->images ? count / (double)row->images : NAN;
    return count > 0 ? count : NAN;
}

static double top1_of(const deeper_compared *row) {
    return row->status == DEEPER_OK && row->images ? (double)row->top1 / (double)row->images : NAN;
}

/* ------------------------------------------------------------------------------------------ CSV */

static deeper_status fill_csv(dp_buffer *buffer, const void *context, deeper_error *error) {
    const dp_comparison_page *page = context;
    dp_buffer_printf(buffer, "member,architecture,options,image_size,crops,error");
    for (size_t i = 0; i < COLUMNS; i++)
        dp_buffer_printf(buffer, ",%s", columns[i].name);
    dp_buffer_printf(buffer, "\n");
    for (size_t r = 0; r < page->count; r++) {
        const deeper_compared *row = page->rows[r];
        const char *const texts[] = { row->member, row->architecture, row->options };
        for (size_t i = 0; i < 3; i++) {
            dp_put_csv_cell(dp_buffer_sink, buffer, texts[i]);
            dp_buffer_append(buffer, ",", 1);
        }
        dp_buffer_printf(buffer, "%d,%d,", row->image_size, row->crops);
        dp_put_csv_cell(dp_buffer_sink, buffer, row->status == DEEPER_OK ? "" : row->message);
        for (size_t i = 0; i < COLUMNS; i++) {
            double value = value_of(row, i);
            dp_buffer_printf(buffer, ",");
            if (isfinite(value))
                dp_buffer_printf(buffer, columns[i].kind == COUNT ? "%.0f" : "%.9g", value);
        }
        dp_buffer_printf(buffer, "\n");
    }
    return DEEPER_OK;
}

deeper_status dp_report_write_comparison_csv(const dp_comparison_page *comparison, const char *path,
                                             const deeper_allocator *allocator,
                                             deeper_error *error) {
    return dp_report_output(path, fill_csv, comparison, allocator, error);
}

/* ----------------------------------------------------------------------------------------- page */

typedef double quantity(const deeper_compared *row);

static double multiply_adds(const deeper_compared *row) {
    return (double)row->multiply_adds * 1e-6;
}

static double parameters(const deeper_compared *row) {
    return (double)row->parameters * 1e-6;
}

static double forward_ms(const deeper_compared *row) {
    return row->forward_ms;
}

static void put_points(dp_buffer *buffer, const dp_comparison_page *page, const char *title,
                       const char *x_name, quantity *x, quantity *y, bool percent) {
    dp_point points[DP_SCATTER_POINTS];
    size_t count = 0;
    for (size_t i = 0; i < page->count && count < DP_SCATTER_POINTS; i++) {
        const deeper_compared *row = page->rows[i];
        points[count++] = (dp_point){ row->member, x(row), y(row), percent ? row->top1_low : NAN,
                                      percent ? row->top1_high : NAN };
    }
    dp_scatter_write(buffer, &(dp_scatter){ .title = title,
                                            .x_name = x_name,
                                            .y_name = percent ? "top-1" : "ms an image",
                                            .percent = percent,
                                            .logarithmic = !percent,
                                            .points = points,
                                            .count = count });
}

static void put_plots(dp_buffer *buffer, const dp_comparison_page *page) {
    dp_buffer_printf(buffer, "<div class=\"curves\">\n");
    if (page->options->train) {
        put_points(buffer, page, "Top-1 over multiply-adds", "millions of multiply-adds an image",
                   multiply_adds, top1_of, true);
        put_points(buffer, page, "Top-1 over parameters", "millions of parameters", parameters,
                   top1_of, true);
        put_points(buffer, page, "Top-1 over the time of an image here", "ms an image", forward_ms,
                   top1_of, true);
    }
    put_points(buffer, page, "Time of an image here, ms, over multiply-adds",
               "millions of multiply-adds an image", multiply_adds, forward_ms, false);
    dp_buffer_printf(buffer, "</div>\n");
}

/* A column that no row has a number in is left out. */
static bool has_column(const dp_comparison_page *page, size_t column) {
    bool any = false;
    for (size_t i = 0; columns[column].title && i < page->count; i++)
        any |= isfinite(value_of(page->rows[i], column));
    return any;
}

/* Large numbers whole, others with some digits. */
static void put_number(dp_buffer *buffer, double value, int digits) {
    if (value >= 100)
        dp_buffer_printf(buffer, "%.0f", value);
    else
        dp_page_number(buffer, value, digits);
}

static void put_row(dp_buffer *buffer, const dp_comparison_page *page, const deeper_compared *row) {
    dp_buffer_printf(buffer, "<tr><td style=\"white-space:nowrap\">");
    dp_markup_text(buffer, row->member);
    dp_buffer_printf(buffer, "</td><td style=\"%s\">",
                     row->status == DEEPER_OK ? "white-space:nowrap" : "min-width:20rem");
    if (row->status != DEEPER_OK)
        dp_markup_text(buffer, row->message);
    else if (row->images)
        dp_buffer_printf(buffer, "%.2f %% (%.2f to %.2f)", 100 * top1_of(row), 100 * row->top1_low,
                         100 * row->top1_high);
    else
        dp_markup_plain(buffer, "not trained");
    dp_buffer_printf(buffer, "</td>");
    for (size_t i = 0; i < COLUMNS; i++) {
        if (!has_column(page, i))
            continue;
        dp_buffer_printf(buffer, "<td class=\"n\">");
        put_number(buffer, value_of(row, i) / columns[i].unit, columns[i].digits);
        dp_buffer_printf(buffer, "</td>");
    }
    dp_buffer_printf(buffer, "</tr>\n");
}

static void put_table(dp_buffer *buffer, const dp_comparison_page *page) {
    dp_buffer_printf(buffer,
                     "<section><h2>Table</h2>\n<div class=\"wide\" "
                     "tabindex=\"0\"><table><thead><tr><th>network</th><th "
                     "style=\"white-space:nowrap\">%s</th>",
                     page->options->train ? "top-1 (95 % interval)" : "state");
    for (size_t i = 0; i < COLUMNS; i++)
        if (has_column(page, i))
            dp_buffer_printf(buffer, "<th class=\"n\">%s</th>", columns[i].title);
    dp_buffer_printf(buffer, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < page->count; i++)
        put_row(buffer, page, page->rows[i]);
    dp_buffer_printf(buffer, "</tbody></table></div>\n");
    if (page->count < page->total)
        dp_buffer_printf(buffer, "<p class=\"note\">%zu of %zu members so far.</p>\n", page->count,
                         page->total);
    dp_buffer_printf(buffer, "</section>\n");
}

static void put_method(dp_buffer *buffer, const dp_comparison_page *page) {
    const deeper_compare_options *options = page->options;
    dp_buffer_printf(buffer, "<section><h2>How it was measured</h2>\n<p class=\"note\">Parameters "
                             "and multiply-adds are those of "
                             "inference, without auxiliary heads; activations those that one image "
                             "takes, with workspace.");
    if (options->seconds > 0)
        dp_buffer_printf(buffer,
                         " Each timing took %g s or ten runs: inference one image at a time, "
                         "training in batches of %d.",
                         options->seconds, options->batch);
    if (options->train && options->train->minutes > 0)
        dp_buffer_printf(buffer, " Each network was trained for %g minutes, whatever its speed.",
                         options->train->minutes);
    else if (options->train)
        dp_buffer_printf(buffer, " Each network was trained for %d epoch%s.",
                         options->train->epochs, options->train->epochs == 1 ? "" : "s");
    if (options->train) {
        dp_buffer_printf(buffer, " Top-1 is that of the best epoch on the validation pictures, "
                                 "with Wilson's interval of 95 %%. Data: ");
        dp_markup_text(buffer, options->train->data);
        if (options->train->val) {
            dp_buffer_printf(buffer, ", to validate with: ");
            dp_markup_text(buffer, options->train->val);
        }
        dp_buffer_printf(buffer, ".");
    }
    dp_buffer_printf(buffer, "</p></section>\n");
}

static deeper_status fill_page(dp_buffer *buffer, const void *context, deeper_error *error) {
    const dp_comparison_page *page = context;
    dp_page_begin(buffer, page->options->preset ? page->options->preset : "Networks compared");
    put_plots(buffer, page);
    put_table(buffer, page);
    put_method(buffer, page);
    dp_page_end(buffer);
    return DEEPER_OK;
}

deeper_status dp_report_write_comparison(const dp_comparison_page *comparison, const char *path,
                                         const deeper_allocator *allocator, deeper_error *error) {
    return dp_report_output(path, fill_page, comparison, allocator, error);
}
