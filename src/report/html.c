/* html.c - report.html: one page, no script, nothing fetched. From the top: headline figures, curves, confusion, mistakes, how to
 * do it again, the facts, every epoch. All text from outside goes through markup.h. */
#include "report/columns.h"
#include "report/confusion.h"
#include "report/markup.h"
#include "report/output.h"
#include "report/plot.h"
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

static const char style[] =
    ":root{color-scheme:light dark;--page:#fff;--text:#1b1f24;--soft:#4b535d;--faint:#737c87;--rule:#e3e6ea;--card:#f6f7f9;"
    "--hit:31 95 208;--miss:200 50 30;--tint:31 95 208}\n"
    "@media screen and (prefers-color-scheme:dark){:root{--page:#14171b;--text:#e6e9ed;--soft:#b3bac3;--faint:#8d96a1;"
    "--rule:#2b3138;--card:#1c2126;--hit:52 112 220;--miss:214 72 48;--tint:116 169 255}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,"
    "\"Noto Sans\",\"Noto Sans CJK KR\",\"DejaVu Sans\",sans-serif}\n"
    "main{max-width:68rem;margin:0 auto;padding:2rem 1.25rem 3rem}\n"
    "h1{font-size:1.7rem;line-height:1.25;margin:0 0 1.2rem;overflow-wrap:anywhere}\n"
    "h2{font-size:1.15rem;margin:2.4rem 0 .6rem}\n"
    ".note,footer{color:var(--soft);font-size:.9rem;margin:.2rem 0 .8rem}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.8rem;margin:0}\n"
    ".tiles div{background:var(--card);border-radius:.5rem;padding:.7rem .9rem}\n"
    ".tiles dt{color:var(--soft);font-size:.85rem}.tiles "
    "dd{margin:0;font-size:1.4rem;white-space:nowrap;font-weight:600;line-height:1.3;"
    "font-variant-numeric:tabular-nums}\n"
    ".tiles small{display:block;font-size:.8rem;font-weight:400;color:var(--faint)}\n"
    ".curves{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));gap:1.6rem 2rem}\n"
    ".columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));gap:0 2rem}\n"
    "figure{margin:0}figcaption{font-weight:600;margin-bottom:.3rem}figcaption small{font-weight:400;color:var(--faint)}\n"
    "table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}\n"
    "th,td{text-align:left;padding:.28rem .7rem .28rem 0;border-bottom:1px solid var(--rule);vertical-align:top;"
    "overflow-wrap:anywhere}\n"
    "thead th{color:var(--soft);font-weight:600}\n"
    ".n,.bar{text-align:right;white-space:nowrap}\n"
    ".bar{padding-left:.7rem;background:linear-gradient(90deg,rgb(var(--tint)/.16) calc(var(--v)*100%),transparent 0)}\n"
    ".wide{overflow-x:auto}.scroll{max-height:32rem;overflow-y:auto}.scroll table{width:100%}\n"
    ".scroll thead th{position:sticky;top:0;background:var(--page)}\n"
    ".heat{border-spacing:2px;border-collapse:separate}\n"
    ".heat th,.heat td{border:0;padding:.2rem .35rem;font-weight:400}\n"
    ".heat thead th{vertical-align:bottom;text-align:center}\n"
    ".heat thead "
    "span{writing-mode:vertical-rl;text-orientation:sideways;white-space:nowrap;transform:rotate(180deg);max-height:11rem;overflow:"
    "hidden}\n"
    ".heat tbody "
    "th{text-align:right;vertical-align:middle;white-space:nowrap;max-width:14rem;overflow:hidden;text-overflow:ellipsis;position:"
    "sticky;"
    "left:0;background:var(--page)}\n"
    ".heat td{min-width:2.7rem;height:2.1rem;text-align:center;vertical-align:middle;border-radius:3px;background:var(--card)}\n"
    ".heat .hit[style]{background:rgb(var(--hit)/var(--v))}.heat .miss{background:rgb(var(--miss)/var(--v))}\n"
    ".heat .deep{color:#fff}\n"
    ".dense{border-spacing:1px;font-size:.7rem}.dense td{min-width:1.45rem;height:1.45rem;padding:0;border-radius:2px}\n"
    ".dense th{padding:0 .3rem}.dense thead th{padding:.2rem 0}\n"
    ".tiny{font-size:.58rem}.tiny td{min-width:.95rem;height:1.1rem}\n"
    ".mistakes{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:1.2rem 1rem}\n"
    ".mistakes figure{min-width:0;break-inside:avoid}\n"
    ".mistakes img{display:block;width:100%;aspect-ratio:1;object-fit:contain;background:var(--card);border-radius:.4rem}\n"
    ".mistakes .pixels{image-rendering:pixelated}\n"
    ".mistakes figcaption{font-weight:400;font-size:.85rem;line-height:1.35;margin:.4rem 0 0;overflow-wrap:anywhere}\n"
    ".mistakes figcaption small{display:block;font-size:.75rem}\n"
    "pre{background:var(--card);border-radius:.5rem;padding:.8rem 1rem;margin:0;white-space:pre-wrap;overflow-wrap:anywhere;"
    "font:.88rem/1.5 ui-monospace,\"DejaVu Sans Mono\",monospace;user-select:all}\n"
    ".facts{width:100%}.facts th{width:14rem;color:var(--soft);font-weight:400}\n"
    "details{margin-top:2.4rem}summary{cursor:pointer;font-size:1.15rem;font-weight:600}\n"
    ".epochs td,.epochs th{text-align:right;white-space:nowrap;padding:.2rem .6rem}.epochs .best{font-weight:700}\n"
    ".epochs{font-size:.8rem}.epochs thead th{white-space:normal;overflow-wrap:normal;vertical-align:bottom}\n"
    "footer{margin-top:3rem;border-top:1px solid var(--rule);padding-top:.7rem}\n"
    "@media(max-width:36rem){.facts th,.facts td{display:block;width:auto;border:0;padding:0}.facts td{padding-bottom:.5rem}}\n"
    "@media print{*{print-color-adjust:exact;-webkit-print-color-adjust:exact}html{font-size:11px}body{font-size:1rem}"
    "main{max-width:none;padding:0}.scroll{max-height:none}.plot,tr,.tiles div{break-inside:avoid}"
    "h2,.note,summary{break-after:avoid}.strip,details{display:none}.curves,.columns{grid-template-columns:1fr 1fr}}\n";

/* ----------------------------------------------------------------------------------------------------------- headline */

#define DASH "\xE2\x80\x93"

/* Opens a tile up to its figure. end_tile closes it. */
static void begin_tile(dp_buffer *buffer, const char *name) {
    dp_buffer_printf(buffer, "<div><dt>%s</dt><dd>", name);
}

static void end_tile(dp_buffer *buffer) {
    dp_buffer_printf(buffer, "</dd></div>\n");
}

static void put_percent(dp_buffer *buffer, double share) {
    if (isfinite(share))
        dp_buffer_printf(buffer, "%.2f %%", share * 100);
    else
        dp_buffer_printf(buffer, DASH);
}

static void put_number(dp_buffer *buffer, double value, int digits) {
    if (isfinite(value))
        dp_buffer_printf(buffer, "%.*g", digits, value);
    else
        dp_buffer_printf(buffer, DASH);
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
        dp_buffer_printf(buffer, DASH);
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

static void put_headline(dp_buffer *buffer, const dp_report *report) {
    if (report->epoch_count == 0) {
        dp_buffer_printf(buffer, "<p class=\"note\">No epoch is finished yet.</p>\n");
        return;
    }
    size_t best = dp_report_best(report);
    const dp_report_epoch *last = &report->epochs[report->epoch_count - 1];
    const dp_report_epoch *shown = best < report->epoch_count ? &report->epochs[best] : last;
    dp_buffer_printf(buffer, "<dl class=\"tiles\">\n");
    begin_tile(buffer, "Validation top-1");
    put_percent(buffer, shown->val_top1);
    dp_buffer_printf(buffer, "<small>%s epoch</small>", shown == last && best >= report->epoch_count ? "last" : "best");
    end_tile(buffer);
    if (report->class_count > 5) {
        begin_tile(buffer, "Validation top-5");
        put_percent(buffer, shown->val_top5);
        dp_buffer_printf(buffer, "<small>same epoch</small>");
        end_tile(buffer);
    }
    begin_tile(buffer, "Validation loss");
    put_number(buffer, shown->val_losses[0], 4);
    dp_buffer_printf(buffer, "<small>same epoch</small>");
    end_tile(buffer);
    if (report->confusion && report->class_count) {
        uint64_t right = 0, total = dp_confusion_total(report, &right);
        begin_tile(buffer, "Validation pictures");
        put_count(buffer, total);
        dp_buffer_printf(buffer, "<small>");
        put_count(buffer, total - right);
        dp_buffer_printf(buffer, " wrong</small>");
        end_tile(buffer);
    }
    begin_tile(buffer, "Epochs");
    dp_buffer_printf(buffer, "%d", last->epoch);
    if (best < report->epoch_count)
        dp_buffer_printf(buffer, "<small>best: %d</small>", shown->epoch);
    end_tile(buffer);
    begin_tile(buffer, "Time");
    put_duration(buffer, last->seconds);
    dp_buffer_printf(buffer, "<small>");
    put_number(buffer, mean_speed(report), 4);
    dp_buffer_printf(buffer, " images/s</small>");
    end_tile(buffer);
    dp_buffer_printf(buffer, "</dl>\n");
}

/* ------------------------------------------------------------------------------------------------------------- curves */

static dp_series series_of(const char *name, const double *values, int colour, bool dashed) {
    return (dp_series){ .name = name, .values = values, .stride = sizeof(dp_report_epoch), .colour = colour, .dashed = dashed };
}

static void put_plot(dp_buffer *buffer, const dp_report *report, const char *title, dp_scale scale, bool percent,
                     const dp_series *series, size_t count) {
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

/* Validation of every head, then training; of several heads the names are "main, training". The texts live in `names`, each ended
 * by a zero byte. */
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
    const dp_series accuracy[] = { series_of("top-1, validation", &first->val_top1, 0, false),
                                   series_of("top-1, training", &first->train_top1, 0, true),
                                   series_of("top-5, validation", &first->val_top5, 1, false) };
    const dp_series rate = series_of("learning rate", &first->rate, 2, false);
    const dp_series norm = series_of("gradient norm", &first->gradient_norm, 3, false);
    dp_buffer_printf(buffer, "<section><h2>Curves</h2>\n<div class=\"curves\">\n");
    DP_TRY(put_losses(buffer, report, error));
    put_plot(buffer, report, "Accuracy", DP_SCALE_LINEAR, true, accuracy, report->class_count > 5 ? 3 : 2);
    put_plot(buffer, report, "Learning rate", DP_SCALE_LINEAR, false, &rate, 1);
    put_plot(buffer, report, "Gradient norm", DP_SCALE_LOG, false, &norm, 1);
    dp_buffer_printf(buffer, "</div>\n</section>\n");
    return DEEPER_OK;
}

/* ----------------------------------------------------------------------------------------------------------- mistakes */

static deeper_status put_thumbnail(dp_buffer *buffer, const dp_image *picture, deeper_error *error) {
    if (!picture->pixels)
        return DEEPER_OK;
    dp_buffer png;
    dp_buffer_init(&png, buffer->allocator, THUMBNAIL_LIMIT);
    deeper_status status = dp_png_encode(&png, picture, error);
    if (status == DEEPER_OK) {
        bool small = picture->width < SMALL_THUMBNAIL && picture->height < SMALL_THUMBNAIL;
        dp_buffer_printf(buffer, "<img alt=\"\"%s src=\"data:image/png;base64,", small ? " class=\"pixels\"" : "");
        dp_markup_base64(buffer, png.data, png.size);
        dp_buffer_printf(buffer, "\">");
    }
    dp_buffer_free(&png);
    return status;
}

static deeper_status put_mistakes(dp_buffer *buffer, const dp_report *report, deeper_error *error) {
    if (report->mistake_count == 0)
        return DEEPER_OK;
    dp_buffer_printf(buffer,
                     "<section><h2>Worst mistakes</h2>\n<p class=\"note\">Validation pictures that the network got wrong while "
                     "it was sure. Some may be labelled wrong.</p>\n<div class=\"mistakes\">\n");
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

/* -------------------------------------------------------------------------------------------------------------- facts */

static void put_facts(dp_buffer *buffer, const dp_report *report) {
    if (report->command) {
        dp_buffer_printf(buffer, "<section><h2>To do it again</h2>\n<pre>");
        dp_markup_text(buffer, report->command);
        dp_buffer_printf(buffer, "</pre></section>\n");
    }
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
    dp_buffer_printf(buffer,
                     "<details><summary>Every epoch</summary>\n%s<div class=\"wide\"><table class=\"epochs\"><thead><tr>"
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
        dp_buffer_printf(buffer, "<tr%s><td>%d</td>", row == best ? " class=\"best\"" : "", epoch->epoch);
        for (size_t i = 0; i < count; i++) {
            dp_buffer_printf(buffer, "<td>");
            put_number(buffer, dp_column_value(&columns[i], epoch), 5);
            dp_buffer_printf(buffer, "</td>");
        }
        dp_buffer_printf(buffer, "</tr>\n");
    }
    dp_buffer_printf(buffer, "</tbody></table></div></details>\n");
}

static deeper_status fill(dp_buffer *buffer, const void *context, deeper_error *error) {
    const dp_report *report = context;
    dp_buffer_printf(buffer, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                             "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
    dp_markup_text(buffer, report->title);
    dp_buffer_printf(buffer, "</title>\n<style>\n%s%s</style></head>\n<body><main>\n<h1>", style, dp_plot_style);
    dp_markup_text(buffer, report->title);
    dp_buffer_printf(buffer, "</h1>\n");
    put_headline(buffer, report);
    DP_TRY(put_curves(buffer, report, error));
    DP_TRY(dp_confusion_write(buffer, report, error));
    DP_TRY(put_mistakes(buffer, report, error));
    put_facts(buffer, report);
    put_epochs(buffer, report);
    dp_buffer_printf(buffer, "<footer>Written by deeper %s.</footer>\n</main></body></html>\n", deeper_version());
    return DEEPER_OK;
}

deeper_status dp_report_write_html(const dp_report *report, const char *path, const deeper_allocator *allocator,
                                   deeper_error *error) {
    return dp_report_output(path, fill, report, allocator, error);
}
