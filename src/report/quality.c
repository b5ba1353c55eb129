/* quality.c - the table of models and crops, and the reliability diagram: of the answers of one
 * confidence, the share that is right; on the diagonal confidence can be taken at its word. */
#include "report/quality.h"

#include "report/markup.h"
#include "report/plot.h"

#include <math.h>

void dp_quality_interval(dp_buffer *buffer, uint64_t hits, uint64_t images) {
    double low = 0, high = 1;
    dp_wilson(hits, images, &low, &high);
    dp_buffer_printf(buffer, "%.1f to %.1f %%", low * 100, high * 100);
}

/* --------------------------------------------------------------------------------------- scores */

static void put_error(dp_buffer *buffer, const deeper_score *row, uint64_t hits,
                      const double interval[2], double gain, double p) {
    dp_buffer_printf(buffer, "<td class=\"n\">%.2f %%</td><td class=\"n\">%.1f to %.1f</td>",
                     100 - 100 * (double)hits / (double)row->images, 100 - 100 * interval[1],
                     100 - 100 * interval[0]);
    if (row->base)
        dp_buffer_printf(buffer, "<td class=\"n\">base</td>");
    else
        dp_buffer_printf(buffer, "<td class=\"n\" title=\"p = %.4g\">%+.2f%s</td>", p,
                         0.0 - 100 * gain, p < DP_SIGNIFICANCE ? " <b>real</b>" : "");
}

void dp_quality_scores(dp_buffer *buffer, const dp_report *report) {
    if (report->score_count < 2)
        return;
    dp_buffer_printf(
        buffer,
        "<section><h2>Models and crops</h2>\n<p class=\"note\">Errors with intervals of 95 %% "
        "(Wilson). Differences are "
        "to the base, in hundredths; one is real where a paired test (McNemar, exact) says so, p "
        "&lt; %.2f. Cost: "
        "forward passes a picture.</p>\n<div class=\"wide\"><table><thead><tr><th>Model</th><th "
        "class=\"n\">Crops</th><th class=\"n\">Cost</th><th class=\"n\">Top-1 error</th><th "
        "class=\"n\">95 %%</th><th "
        "class=\"n\">to base</th><th class=\"n\">Top-5 error</th><th class=\"n\">95 %%</th><th "
        "class=\"n\">to "
        "base</th></tr></thead><tbody>\n",
        DP_SIGNIFICANCE);
    for (size_t i = 0; i < report->score_count; i++) {
        const deeper_score *row = &report->scores[i];
        dp_buffer_printf(buffer, "<tr><td>");
        if (row->model)
            dp_markup_text(buffer, row->model);
        else
            dp_buffer_printf(buffer, "all %d, averaged", row->models);
        dp_buffer_printf(buffer, "</td><td class=\"n\">%d</td><td class=\"n\">%d</td>", row->crops,
                         row->models * row->crops);
        put_error(buffer, row, row->top1, row->top1_interval, row->top1_gain, row->top1_p);
        put_error(buffer, row, row->top5, row->top5_interval, row->top5_gain, row->top5_p);
        dp_buffer_printf(buffer, "</tr>\n");
    }
    dp_buffer_printf(buffer, "</tbody></table></div></section>\n");
}

/* ---------------------------------------------------------------------------------- calibration */

/* The middle of a bin in hundredths is what the plot shows; empty bins are gaps. */
static void put_diagram(dp_buffer *buffer, const dp_calibration *c) {
    double right[DP_CALIBRATION_BINS], confidence[DP_CALIBRATION_BINS];
    int middle[DP_CALIBRATION_BINS];
    for (int bin = 0; bin < DP_CALIBRATION_BINS; bin++) {
        double images = (double)c->images[bin];
        middle[bin] = (2 * bin + 1) * 100 / (2 * DP_CALIBRATION_BINS);
        right[bin] = images > 0 ? (double)c->right[bin] / images : NAN;
        confidence[bin] = images > 0 ? c->confidence[bin] / images : NAN;
    }
    const dp_series series[] = { { "right", right, sizeof *right, 0, false },
                                 { "confidence (what would be perfect)", confidence,
                                   sizeof *confidence, 1, true } };
    dp_plot_write(buffer, &(dp_plot){ .title = "Reliability",
                                      .x_name = "confidence, %",
                                      .scale = DP_SCALE_LINEAR,
                                      .percent = true,
                                      .count = DP_CALIBRATION_BINS,
                                      .x = middle,
                                      .x_stride = sizeof *middle,
                                      .series = series,
                                      .series_count = 2,
                                      .marked = DP_CALIBRATION_BINS });
}

static void put_bins(dp_buffer *buffer, const dp_calibration *c, uint64_t all) {
    dp_buffer_printf(
        buffer,
        "<div class=\"wide\"><table><thead><tr><th>Confidence</th><th class=\"n\">Pictures</th><th "
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
