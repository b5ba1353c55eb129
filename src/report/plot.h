/* plot.h - line plots as SVG inside an HTML page: axes with round ticks, series with a legend, a
 * marked place, values on pointing. Colours are CSS variables that plot_style sets for light, dark
 * and paper. It knows nothing of training. */
#ifndef DP_REPORT_PLOT_H
#define DP_REPORT_PLOT_H

#include "base/memory.h"

enum { DP_PLOT_COLOURS = 4 };

/* A line. Values may lie inside larger things: value i is `stride` bytes after value i - 1. What is
 * not finite is a gap. */
typedef struct dp_series {
    const char *name;
    const double *values;
    size_t stride;
    int colour; /* 0..DP_PLOT_COLOURS-1 */
    bool dashed;
} dp_series;

typedef enum dp_scale {
    DP_SCALE_LINEAR,
    DP_SCALE_AUTO /* logarithmic if all values are above 0 and the largest is more than 30 times the
                     least */
} dp_scale;

typedef struct dp_plot {
    const char *title, *x_name;
    const char *y_name; /* NULL: the title says it */
    dp_scale scale;
    bool percent;        /* values are shares, written in hundredths */
    size_t count;        /* points of every series */
    const int *x;        /* ascending; strides as in a series */
    const double *x_log; /* in place of x: values above 0 on a logarithmic axis */
    size_t x_stride;
    const dp_series *series;
    size_t series_count;
    size_t marked; /* the point with a line through it; count or more: none */
    const char *mark_name;
} dp_plot;

/* Appends a <figure class="plot">: the title, the plot, the legend. Long series are thinned so that
 * a figure stays small: the least and the largest value of each stretch are kept. */
void dp_plot_write(dp_buffer *buffer, const dp_plot *plot);

/* Named points with intervals over a logarithmic x, or of shares over shares. What is not finite,
 * or x not above 0, is left out. */
typedef struct dp_point {
    const char *name;
    double x, y, low, high; /* low..high: the interval of y */
} dp_point;

typedef struct dp_scatter {
    const char *title, *x_name;
    bool percent;     /* y is a share, written in hundredths */
    bool logarithmic; /* y too; only values above 0 are then drawn, and intervals are not */
    const dp_point *points;
    size_t count; /* up to DP_SCATTER_POINTS; the rest is left out */
    const char *y_name;
    bool shares; /* x is a share too: both axes from 0 to 1, linear, with the diagonal */
} dp_scatter;

enum { DP_SCATTER_POINTS = 64 };

/* Appends a <figure class="plot">. */
void dp_scatter_write(dp_buffer *buffer, const dp_scatter *scatter);

/* The style sheet's part for figures. */
extern const char dp_plot_style[];

#endif
