/* rates.c - the page of a learning-rate range test. */
#include "report/output.h"
#include "report/page.h"
#include "report/plot.h"
#include "report/report.h"

#include <math.h>

typedef struct rates {
    const deeper_rate_search *search;
    const char *title, *command;
} rates;

static void put_tile(dp_buffer *buffer, const char *name, double rate) {
    dp_page_begin_tile(buffer, name);
    dp_page_number(buffer, rate > 0 ? rate : NAN, 2);
    dp_page_end_tile(buffer);
}

/* The point whose rate is nearest to the suggested one; count if there is none. */
static size_t suggested_point(const deeper_rate_search *s) {
    size_t nearest = s->count;
    for (size_t i = 0; s->rate > 0 && i < s->count; i++)
        if (nearest == s->count
            || fabs(log(s->points[i].rate / s->rate))
                   < fabs(log(s->points[nearest].rate / s->rate)))
            nearest = i;
    return nearest;
}

static void put_plot(dp_buffer *buffer, const deeper_rate_search *s) {
    const dp_series series[] = {
        { .name = "smoothed",
          .values = &s->points[0].smoothed,
          .stride = sizeof *s->points,
          .colour = 0 },
        { .name = "of each step",
          .values = &s->points[0].loss,
          .stride = sizeof *s->points,
          .colour = 1,
          .dashed = true },
    };
    dp_plot_write(buffer, &(dp_plot){ .title = "Loss",
                                      .x_name = "learning rate",
                                      .scale = DP_SCALE_AUTO,
                                      .count = s->count,
                                      .x_log = &s->points[0].rate,
                                      .x_stride = sizeof *s->points,
                                      .series = series,
                                      .series_count = sizeof series / sizeof *series,
                                      .marked = suggested_point(s),
                                      .mark_name = "suggested" });
}

static void put_points(dp_buffer *buffer, const deeper_rate_search *s) {
    dp_buffer_printf(buffer, "<details><summary>Every step</summary>\n<table "
                             "class=\"epochs\"><thead><tr><th>step</th><th>rate</th>"
                             "<th>loss</th><th>smoothed</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < s->count; i++)
        dp_buffer_printf(buffer, "<tr><td>%zu</td><td>%.3g</td><td>%.4f</td><td>%.4f</td></tr>\n",
                         i + 1, s->points[i].rate, s->points[i].loss, s->points[i].smoothed);
    dp_buffer_printf(buffer, "</tbody></table></details>\n");
}

static deeper_status fill(dp_buffer *buffer, const void *context, deeper_error *error) {
    const rates *search_page = context;
    dp_page_begin(buffer, search_page->title);
    dp_buffer_printf(buffer, "<p class=\"note\">Learning-rate range test: a short run whose rate "
                             "grows at every step.</p>\n"
                             "<dl class=\"tiles\">\n");
    put_tile(buffer, "Suggested rate", search_page->search->rate);
    put_tile(buffer, "Steepest descent", search_page->search->steepest);
    put_tile(buffer, "A tenth of where it diverges", search_page->search->tenth);
    dp_buffer_printf(buffer, "</dl>\n<section><h2>Curve</h2>\n<div class=\"curves\">\n");
    put_plot(buffer, search_page->search);
    dp_buffer_printf(buffer, "</div></section>\n");
    if (search_page->search->rate > 0)
        dp_page_command(buffer, "To go on", search_page->command);
    else
        dp_buffer_printf(buffer, "<p class=\"note\">The loss did not fall at any rate.</p>\n");
    put_points(buffer, search_page->search);
    dp_page_end(buffer);
    return DEEPER_OK;
}

deeper_status dp_report_write_rates(const deeper_rate_search *search, const char *title,
                                    const char *command, const char *path,
                                    const deeper_allocator *allocator, deeper_error *error) {
    return dp_report_output(path, fill, &(rates){ search, title, command }, allocator, error);
}
