/* quality.c - the table of models and crops, and the reliability diagram: of the answers of one
 * confidence, the share that is right; on the diagonal confidence can be taken at its word. */
#include "report/quality.h"

#include "report/markup.h"
#include "report/page.h"
#include "report/plot.h"

#include <math.h>

void dp_quality_interval(dp_buffer *buffer, uint64_t hits, uint64_t images) {
    double low = 0, high = 1;
    dp_wilson(hits, images, &low, &high);
    dp_buffer_printf(buffer, "%.1f to %.1f %%", low * 100, high * 100);
}

/* --------------------------------------------------------------------------------------- scores */

/* The error, its difference to the base (the only column that a test stands behind, so it comes
 * next) and its interval. */
static void put_error(dp_buffer *buffer, const deeper_score *row, uint64_t hits,
                      const double interval[2], double gain, double p) {
    dp_buffer_printf(buffer, "<td class=\"n\">%.2f %%</td>",
                     100 - 100 * (double)hits / (double)row->images);
    if (row->base)
        dp_buffer_printf(buffer, "<td class=\"n\">base</td>");
    else
        dp_buffer_printf(buffer, "<td class=\"n\" title=\"p = %.4g\">%s%+.2f%s</td>", p,
                         p < DP_SIGNIFICANCE ? "<b>" : "", 0.0 - 100 * gain,
                         p < DP_SIGNIFICANCE ? " *</b>" : "");
    dp_buffer_printf(buffer, "<td class=\"n\">%.1f to %.1f</td>", 100 - 100 * interval[1],
                     100 - 100 * interval[0]);
}

static void put_score(dp_buffer *buffer, const deeper_score *row) {
    char name[DP_PAGE_NAME];
    dp_buffer_printf(buffer, "<tr><td>");
    if (row->model)
        dp_markup_text(buffer, dp_page_name(row->model, name));
    else
        dp_buffer_printf(buffer, "all %d, averaged", row->models);
    dp_buffer_printf(buffer, "</td>");
    put_error(buffer, row, row->top1, row->top1_interval, row->top1_gain, row->top1_p);
    put_error(buffer, row, row->top5, row->top5_interval, row->top5_gain, row->top5_p);
    dp_buffer_printf(buffer, "<td class=\"n\">%d</td><td class=\"n\">%d</td></tr>\n", row->crops,
                     row->models * row->crops);
}

void dp_quality_scores(dp_buffer *buffer, const dp_report *report) {
    if (report->score_count < 2)
        return;
    dp_buffer_printf(
        buffer,
        "<section><h2>Models and crops</h2>\n<p class=\"note\">Errors with intervals of 95 %% "
        "(Wilson). Differences to the base are in points of a hundredth; * marks one that is "
        "significant: p &lt; %.2f in McNemar's exact test on the same pictures. Cost: forward "
        "passes a picture.</p>\n<div class=\"wide\" tabindex=\"0\"><table><thead><tr>"
        "<th>Model</th><th class=\"n\">Top-1 error</th><th class=\"n\">to base</th><th "
        "class=\"n\">95 %%</th><th class=\"n\">Top-5 error</th><th class=\"n\">to base</th><th "
        "class=\"n\">95 %%</th><th class=\"n\">Crops</th><th class=\"n\">Cost</th></tr></thead>"
        "<tbody>\n",
        DP_SIGNIFICANCE);
    for (size_t i = 0; i < report->score_count; i++)
        put_score(buffer, &report->scores[i]);
    dp_buffer_printf(buffer, "</tbody></table></div></section>\n");
}

/* ---------------------------------------------------------------------------------- calibration */

/* A point a bin: at its mean confidence the share that is right, with its interval; on the diagonal
 * both are the same. */
static void put_diagram(dp_buffer *buffer, const dp_calibration *c) {
    dp_point points[DP_CALIBRATION_BINS];
    size_t count = 0;
    for (int bin = 0; bin < DP_CALIBRATION_BINS; bin++) {
        double images = (double)c->images[bin];
        if (images == 0)
            continue;
        dp_point *point = &points[count++];
        *point = (dp_point){ .name = "",
                             .x = c->confidence[bin] / images,
                             .y = (double)c->right[bin] / images };
        dp_wilson(c->right[bin], c->images[bin], &point->low, &point->high);
    }
    dp_scatter_write(buffer, &(dp_scatter){ .title = "Reliability",
                                            .x_name = "mean confidence",
                                            .y_name = "share right, with 95 % intervals",
                                            .percent = true,
                                            .points = points,
                                            .count = count,
                                            .shares = true });
}

static void put_bins(dp_buffer *buffer, const dp_calibration *c, uint64_t all) {
    dp_buffer_printf(buffer,
                     "<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th>Confidence</th><th "
                     "class=\"n\">Pictures</th><th "
                     "class=\"n\">Right</th><th class=\"n\">95 %%</th></tr></thead><tbody>\n");
    for (int bin = DP_CALIBRATION_BINS - 1; bin >= 0; bin--) {
        uint64_t images = c->images[bin];
        if (images == 0)
            continue;
        dp_buffer_printf(buffer,
                         "<tr><td>%d to %d %%</td><td class=\"bar\" "
                         "style=\"--v:%.3f\">%llu</td><td class=\"n\">%.1f %%</td><td "
                         "class=\"n\">",
                         bin * 100 / DP_CALIBRATION_BINS, (bin + 1) * 100 / DP_CALIBRATION_BINS,
                         (double)images / (double)all, (unsigned long long)images,
                         100 * (double)c->right[bin] / (double)images);
        dp_quality_interval(buffer, c->right[bin], images);
        dp_buffer_printf(buffer, "</td></tr>\n");
    }
    dp_buffer_printf(buffer, "</tbody></table></div>\n");
}

void dp_quality_calibration(dp_buffer *buffer, const dp_report *report) {
    const dp_report_measured *m = report->measured;
    if (!m || m->images == 0)
        return;
    dp_buffer_printf(buffer,
                     "<section><h2>Calibration</h2>\n<p class=\"note\">Expected calibration error "
                     "%.2f %% (%d bins): by so much "
                     "confidence and the share that is right differ on the mean.%s</p>\n<div "
                     "class=\"columns\"><div>\n",
                     100 * dp_calibration_error(&m->calibration), DP_CALIBRATION_BINS,
                     report->epoch_count > 0
                         ? " Of the saved model, as are the matrix above and the mistakes below."
                         : "");
    put_diagram(buffer, &m->calibration);
    dp_buffer_printf(buffer, "</div><div>\n");
    put_bins(buffer, &m->calibration, m->images);
    dp_buffer_printf(buffer, "</div></div></section>\n");
}
