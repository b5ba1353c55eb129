/* html.c - report.html: one page, no script, nothing fetched. From the top: headline figures,
 * warnings, models and crops, curves, confusion, calibration, mistakes, how to do it again, the
 * facts, every epoch. All text from outside goes through markup.h. */
#include "report/columns.h"
#include "report/confusion.h"
#include "report/markup.h"
#include "report/output.h"
#include "report/page.h"
#include "report/plot.h"
#include "report/quality.h"
#include "report/report.h"

#include "image/png_encode.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    EPOCH_ROWS = 500,     /* of the table of epochs; log.csv has all */
    SMALL_THUMBNAIL = 64, /* sides below are shown with square pixels */
    THUMBNAIL_LIMIT = 1 << 20,
    SERIES_MAX = 2 * DP_REPORT_HEADS
};

/* ------------------------------------------------------------------------------------- headline */

static void put_percent(dp_buffer *buffer, double share) {
    if (isfinite(share))
        dp_buffer_printf(buffer, "%.2f %%", share * 100);
    else
        dp_buffer_printf(buffer, DP_PAGE_DASH);
}

/* With commas: 50,000. */
static void put_count(dp_buffer *buffer, uint64_t count) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    for (int i = 0; i < length; i++)
        dp_buffer_printf(buffer, "%s%c", i && (length - i) % 3 == 0 ? "," : "", digits[i]);
}

/* The two largest units: "3 h 12 min", "7 min 5 s", "48 s". */
static void put_duration(dp_buffer *buffer, double seconds) {
    if (!(seconds >= 0 && seconds < 1e12)) {
        dp_buffer_printf(buffer, DP_PAGE_DASH);
        return;
    }
    unsigned long long whole = (unsigned long long)(seconds + 0.5);
    if (whole >= 3600)
        dp_buffer_printf(buffer, "%llu h %llu min", whole / 3600, whole % 3600 / 60);
    else if (whole >= 60)
        dp_buffer_printf(buffer, "%llu min %llu s", whole / 60, whole % 60);
    else
        dp_buffer_printf(buffer, "%llu s", whole);
}

static double mean_speed(const dp_report *report) {
    double sum = 0;
    for (size_t i = 0; i < report->epoch_count; i++)
        sum += report->epochs[i].images_per_second;
    return sum / (double)report->epoch_count;
}

/* Pictures that were measured and how many of them are wrong. */
static void put_pictures(dp_buffer *buffer, const char *name, uint64_t images, uint64_t right) {
    dp_page_begin_tile(buffer, name);
    put_count(buffer, images);
    dp_buffer_printf(buffer, "<small>");
    put_count(buffer, images - right);
    dp_buffer_printf(buffer, " wrong</small>");
    dp_page_end_tile(buffer);
}

static void put_hits(dp_buffer *buffer, const char *name, uint64_t hits, uint64_t images) {
    dp_page_begin_tile(buffer, name);
    put_percent(buffer, (double)hits / (double)images);
    dp_buffer_printf(buffer, "<small>95 %%: ");
    dp_quality_interval(buffer, hits, images);
    dp_buffer_printf(buffer, "</small>");
    dp_page_end_tile(buffer);
}

static void put_evaluation(dp_buffer *buffer, const dp_report *report) {
    const dp_report_measured *m = report->measured;
    dp_buffer_printf(buffer, "<dl class=\"tiles\">\n");
    put_hits(buffer, "Top-1", m->top1, m->images);
    if (report->class_count > 5)
        put_hits(buffer, "Top-5", m->top5, m->images);
    dp_page_begin_tile(buffer, "Loss");
    dp_page_number(buffer, m->loss, 4);
    dp_page_end_tile(buffer);
    dp_page_begin_tile(buffer, "Calibration error");
    put_percent(buffer, dp_calibration_error(&m->calibration));
    dp_page_end_tile(buffer);
    put_pictures(buffer, "Pictures", m->images, m->top1);
    dp_buffer_printf(buffer, "</dl>\n");
}

static void put_headline(dp_buffer *buffer, const dp_report *report) {
    size_t best = dp_report_best(report);
    bool probe_saved = report->probe_images > 0 && best >= report->epoch_count;
    if (report->measured && (report->epoch_count == 0 || probe_saved)) {
        put_evaluation(buffer, report);
        if (probe_saved)
            dp_buffer_printf(buffer,
                             "<p class=\"note\">The saved model is the linear probe: the last "
                             "layer alone was fitted.%s</p>\n",
                             report->epoch_count > 0 ? " No epoch was better." : "");
        return;
    }
    if (report->epoch_count == 0) {
        dp_buffer_printf(buffer, "<p class=\"note\">No epoch is finished yet.</p>\n");
        return;
    }
    const dp_report_epoch *last = &report->epochs[report->epoch_count - 1];
    const dp_report_epoch *shown = best < report->epoch_count ? &report->epochs[best] : last;
    dp_buffer_printf(buffer, "<dl class=\"tiles\">\n");
    dp_page_begin_tile(buffer, "Validation top-1");
    put_percent(buffer, shown->val_top1);
    dp_buffer_printf(buffer, "<small>%s epoch",
                     shown == last && best >= report->epoch_count ? "last" : "best");
    if (report->measured && isfinite(shown->val_top1)) {
        dp_buffer_printf(buffer, "<br>95 %%: ");
        dp_quality_interval(buffer,
                            (uint64_t)llround(shown->val_top1 * (double)report->measured->images),
                            report->measured->images);
    }
    dp_buffer_printf(buffer, "</small>");
    dp_page_end_tile(buffer);
    if (report->probe_images > 0) {
        dp_page_begin_tile(buffer, "Linear probe");
        put_percent(buffer, report->probe_top1);
        dp_buffer_printf(buffer, "<small>top-1, the line to beat</small>");
        dp_page_end_tile(buffer);
    }
    if (report->class_count > 5) {
        dp_page_begin_tile(buffer, "Validation top-5");
        put_percent(buffer, shown->val_top5);
        dp_buffer_printf(buffer, "<small>same epoch</small>");
        dp_page_end_tile(buffer);
    }
    dp_page_begin_tile(buffer, "Validation loss");
    dp_page_number(buffer, shown->val_losses[0], 4);
    dp_buffer_printf(buffer, "<small>same epoch</small>");
    dp_page_end_tile(buffer);
    if (report->confusion && report->class_count) {
        uint64_t right = 0, total = dp_confusion_total(report, &right);
        put_pictures(buffer, "Validation pictures", total, right);
    }
    dp_page_begin_tile(buffer, "Epochs");
    dp_buffer_printf(buffer, "%d", last->epoch);
    if (best < report->epoch_count)
        dp_buffer_printf(buffer, "<small>best: %d</small>", shown->epoch);
    dp_page_end_tile(buffer);
    dp_page_begin_tile(buffer, "Time");
    put_duration(buffer, last->seconds);
    dp_buffer_printf(buffer, "<small>");
    dp_page_number(buffer, mean_speed(report), 4);
    dp_buffer_printf(buffer, " images/s</small>");
    dp_page_end_tile(buffer);
    dp_buffer_printf(buffer, "</dl>\n");
}

static void put_warnings(dp_buffer *buffer, const dp_report *report) {
    if (report->warning_count == 0)
        return;
    dp_buffer_printf(buffer, "<section><h2>Warnings</h2>\n<ul class=\"warnings\">\n");
    for (size_t i = 0; i < report->warning_count; i++) {
        dp_buffer_printf(buffer, "<li>epoch %d: ", report->warnings[i].epoch);
        dp_markup_text(buffer, report->warnings[i].text);
        dp_buffer_printf(buffer, "</li>\n");
    }
    dp_buffer_printf(buffer, "</ul></section>\n");
}

/* --------------------------------------------------------------------------------------- curves */

static dp_series series_of(const char *name, const double *values, int colour, bool dashed) {
    return (dp_series){ .name = name,
                        .values = values,
                        .stride = sizeof(dp_report_epoch),
                        .colour = colour,
                        .dashed = dashed };
}

static void put_plot(dp_buffer *buffer, const dp_report *report, const char *title, dp_scale scale,
                     bool percent, const dp_series *series, size_t count) {
    dp_plot_write(buffer, &(dp_plot){ .title = title,
                                      .x_name = "epoch",
                                      .scale = scale,
                                      .percent = percent,
                                      .count = report->epoch_count,
                                      .x = &report->epochs[0].epoch,
                                      .x_stride = sizeof(dp_report_epoch),
                                      .series = series,
                                      .series_count = count,
                                      .marked = dp_report_best(report),
                                      .mark_name = "best" });
}

/* Validation of every head, then training; of several heads the names are "main, training". The
 * texts live in `names`, each ended by a zero byte. */
static deeper_status put_losses(dp_buffer *buffer, const dp_report *report, deeper_error *error) {
    size_t heads = dp_report_heads(report);
    dp_buffer names;
    dp_buffer_init(&names, buffer->allocator, buffer->limit);
    for (size_t i = 0; i < 2 * heads; i++) {
        if (heads > 1) {
            dp_markup_plain(&names, report->head_names[i % heads]);
            dp_markup_plain(&names, ", ");
        }
        dp_markup_plain(&names, i < heads ? "validation" : "training");
        dp_buffer_append(&names, "", 1);
    }
    deeper_status status = names.failed ? dp_fail_memory(error, "the legend of a plot") : DEEPER_OK;
    if (status == DEEPER_OK) {
        dp_series series[SERIES_MAX];
        const dp_report_epoch *first = &report->epochs[0];
        const char *name = names.data;
        for (size_t i = 0; i < 2 * heads; i++, name += strlen(name) + 1) {
            const double *values = i < heads ? first->val_losses : first->train_losses;
            series[i] = series_of(name, &values[i % heads], (int)(i % heads), i >= heads);
        }
        put_plot(buffer, report, "Loss", DP_SCALE_AUTO, false, series, 2 * heads);
    }
    dp_buffer_free(&names);
    return status;
}

static deeper_status put_curves(dp_buffer *buffer, const dp_report *report, deeper_error *error) {
    if (report->epoch_count == 0)
        return DEEPER_OK;
    const dp_report_epoch *first = &report->epochs[0];
    size_t count = 0;
    dp_series accuracy[4];
    accuracy[count++] = series_of("top-1, validation", &first->val_top1, 0, false);
    accuracy[count++] = series_of("top-1, training", &first->train_top1, 0, true);
    if (report->class_count > 5)
        accuracy[count++] = series_of("top-5, validation", &first->val_top5, 1, false);
    if (report->probe_images > 0) {
        accuracy[count] = series_of("linear probe, validation", &report->probe_top1, 3, true);
        accuracy[count++].stride = 0; /* one value for all epochs */
    }
    const dp_series rate = series_of("learning rate", &first->rate, 2, false);
    const dp_series norm = series_of("gradient norm", &first->gradient_norm, 3, false);
    dp_buffer_printf(buffer, "<section><h2>Curves</h2>\n<div class=\"curves\">\n");
    DP_TRY(put_losses(buffer, report, error));
    put_plot(buffer, report, "Accuracy", DP_SCALE_LINEAR, true, accuracy, count);
    put_plot(buffer, report, "Learning rate", DP_SCALE_LINEAR, false, &rate, 1);
    put_plot(buffer, report, "Gradient norm", DP_SCALE_AUTO, false, &norm, 1);
    dp_buffer_printf(buffer, "</div>\n</section>\n");
    return DEEPER_OK;
}

/* ------------------------------------------------------------------------------------- mistakes */

static deeper_status put_thumbnail(dp_buffer *buffer, const dp_image *picture,
                                   deeper_error *error) {
    if (!picture->pixels)
        return DEEPER_OK;
    dp_buffer png;
    dp_buffer_init(&png, buffer->allocator, THUMBNAIL_LIMIT);
    deeper_status status = dp_png_encode(&png, picture, error);
    if (status == DEEPER_OK) {
        bool small = picture->width < SMALL_THUMBNAIL && picture->height < SMALL_THUMBNAIL;
        dp_buffer_printf(buffer, "<img alt=\"\"%s src=\"data:image/png;base64,",
                         small ? " class=\"pixels\"" : "");
        dp_markup_base64(buffer, png.data, png.size);
        dp_buffer_printf(buffer, "\">");
    }
    dp_buffer_free(&png);
    return status;
}

static deeper_status put_mistakes(dp_buffer *buffer, const dp_report *report, deeper_error *error) {
    if (report->mistake_count == 0)
        return DEEPER_OK;
    dp_buffer_printf(buffer, "<section><h2>Worst mistakes</h2>\n<p class=\"note\">Pictures that "
                             "the network got wrong while it was "
                             "sure. Some may be labelled wrong.</p>\n<div class=\"mistakes\">\n");
    for (size_t i = 0; i < report->mistake_count; i++) {
        const dp_report_mistake *mistake = &report->mistakes[i];
        dp_buffer_printf(buffer, "<figure>");
        DP_TRY(put_thumbnail(buffer, &mistake->thumbnail, error));
        dp_buffer_printf(buffer, "<figcaption><b>");
        dp_confusion_name(buffer, report, mistake->predicted);
        dp_buffer_printf(buffer, "</b> ");
        put_percent(buffer, mistake->probability);
        dp_buffer_printf(buffer, "<br>true: ");
        dp_confusion_name(buffer, report, mistake->label);
        dp_buffer_printf(buffer, "<small>");
        dp_markup_text(buffer, mistake->path);
        dp_buffer_printf(buffer, "</small></figcaption></figure>\n");
    }
    dp_buffer_printf(buffer, "</div></section>\n");
    return DEEPER_OK;
}

/* ---------------------------------------------------------------------------------------- facts */

static void put_facts(dp_buffer *buffer, const dp_report *report) {
    if (report->command)
        dp_page_command(buffer, "To do it again", report->command);
    if (report->fact_count == 0)
        return;
    dp_buffer_printf(buffer, "<section><h2>Facts</h2>\n<table class=\"facts\"><tbody>\n");
    for (size_t i = 0; i < report->fact_count; i++) {
        dp_buffer_printf(buffer, "<tr><th scope=\"row\">");
        dp_markup_text(buffer, report->facts[i][0]);
        dp_buffer_printf(buffer, "</th><td>");
        dp_markup_text(buffer, report->facts[i][1]);
        dp_buffer_printf(buffer, "</td></tr>\n");
    }
    dp_buffer_printf(buffer, "</tbody></table></section>\n");
}

static void put_epochs(dp_buffer *buffer, const dp_report *report) {
    if (report->epoch_count == 0)
        return;
    dp_column columns[DP_COLUMNS_MAX];
    size_t count = dp_columns(columns, report), best = dp_report_best(report);
    size_t from = report->epoch_count > EPOCH_ROWS ? report->epoch_count - EPOCH_ROWS : 0;
    dp_buffer_printf(
        buffer,
        "<details><summary>Every epoch</summary>\n%s<div class=\"wide\" tabindex=\"0\"><table "
        "class=\"epochs\"><thead><tr>"
        "<th>epoch</th>",
        from ? "<p class=\"note\">The last ones; log.csv has all.</p>\n" : "");
    for (size_t i = 0; i < count; i++) {
        dp_buffer_printf(buffer, "<th>");
        for (const char *part = columns[i].name; *part; part++)
            dp_buffer_append(buffer, *part == '_' ? " " : part, 1);
        if (columns[i].head) {
            dp_buffer_printf(buffer, " ");
            dp_markup_text(buffer, columns[i].head);
        }
        dp_buffer_printf(buffer, "</th>");
    }
    dp_buffer_printf(buffer, "</tr></thead><tbody>\n");
    for (size_t row = from; row < report->epoch_count; row++) {
        const dp_report_epoch *epoch = &report->epochs[row];
        dp_buffer_printf(buffer, "<tr%s><td>%d</td>", row == best ? " class=\"best\"" : "",
                         epoch->epoch);
        for (size_t i = 0; i < count; i++) {
            dp_buffer_printf(buffer, "<td>");
            dp_page_number(buffer, dp_column_value(&columns[i], epoch), 5);
            dp_buffer_printf(buffer, "</td>");
        }
        dp_buffer_printf(buffer, "</tr>\n");
    }
    dp_buffer_printf(buffer, "</tbody></table></div></details>\n");
}

static deeper_status fill(dp_buffer *buffer, const void *context, deeper_error *error) {
    const dp_report *report = context;
    dp_page_begin(buffer, report->title);
    put_headline(buffer, report);
    put_warnings(buffer, report);
    dp_quality_scores(buffer, report);
    DP_TRY(put_curves(buffer, report, error));
    DP_TRY(dp_confusion_write(buffer, report, error));
    dp_quality_calibration(buffer, report);
    DP_TRY(put_mistakes(buffer, report, error));
    put_facts(buffer, report);
    put_epochs(buffer, report);
    dp_page_end(buffer);
    return DEEPER_OK;
}

deeper_status dp_report_write_html(const dp_report *report, const char *path,
                                   const deeper_allocator *allocator, deeper_error *error) {
    return dp_report_output(path, fill, report, allocator, error);
}
