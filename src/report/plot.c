/* plot.c - line plots. Positions are in SVG units of a WIDTH x HEIGHT box, which the page scales to
 * its column. */
#include "report/plot.h"

#include "report/markup.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    WIDTH = 460,
    HEIGHT = 270,
    LEFT = 76, /* room for the name of y and its labels */
    RIGHT = 14,
    TOP = 18, /* room for the mark's name */
    BOTTOM = 38,
    TICKS_WANTED = 5,
    TICKS_MAX = 24,
    STRETCHES = 240, /* of points that are drawn apart, and that can be pointed at */
    DOTS_UP_TO = 40  /* points so few that each gets a dot */
};

#define BIGGEST 1e30      /* values beyond are gaps: their differences must stay numbers */
#define LOG_FROM_RATIO 30 /* DP_SCALE_AUTO */
#define MIN_LOG                                                                                    \
    1e-12 /* a logarithmic axis goes no lower, so that one stray zero-like value does not flatten  \
             the rest */

/* An axis from lo to hi. Of a logarithmic one everything is in decades. */
typedef struct axis {
    double lo, hi;
    bool logarithmic, percent;
    double ticks[TICKS_MAX];
    size_t tick_count;
    double step; /* between ticks, for the digits of their labels */
} axis;

typedef struct frame {
    const dp_plot *plot;
    axis x, y;
    size_t stretch; /* points that are drawn as one */
} frame;

static double value_at(const dp_series *series, size_t index) {
    return *(const double *)((const char *)series->values + index * series->stride);
}

/* On a logarithmic axis: in decades. */
static double x_at(const dp_plot *plot, size_t index) {
    if (plot->x_log)
        return log10(*(const double *)((const char *)plot->x_log + index * plot->x_stride));
    return *(const int *)((const char *)plot->x + index * plot->x_stride);
}

static bool drawable(const axis *y, double value) {
    return fabs(value) < BIGGEST && (!y->logarithmic || value >= MIN_LOG);
}

/* ----------------------------------------------------------------------------------------- axes */

/* The least of 1, 2, 5 x a power of ten that is not below `value` (> 0), rounding aside. */
static double round_up(double value) {
    double power = pow(10, floor(log10(value)));
    double part = value / power * (1 - 1e-9);
    return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

/* Widens lo..hi to whole steps and lays the ticks. */
static void lay_linear(axis *a, double min_step) {
    double size = fmax(fabs(a->lo), fabs(a->hi));
    if (a->hi - a->lo < 1e-6 * size || a->hi - a->lo < 1e-30) { /* one value: room around it */
        double room = size > 0 ? size * 0.1 : 0.5;
        a->lo -= room;
        a->hi += room;
    }
    a->step = fmax(round_up((a->hi - a->lo) / TICKS_WANTED), min_step);
    double first = floor(a->lo / a->step + 1e-9), last = ceil(a->hi / a->step - 1e-9);
    a->lo = first * a->step;
    a->hi = last * a->step;
    for (double i = first; i <= last && a->tick_count < TICKS_MAX; i++)
        a->ticks[a->tick_count++] = i * a->step;
}

/* lo, hi come as values above 0 and leave in decades. Ticks at 1, 2, 5 of every decade while these
 * are few, else at powers of ten. */
static void lay_logarithmic(axis *a) {
    double lo = 1 / round_up(1 / a->lo), hi = round_up(fmax(a->hi, lo * 1.5));
    if (hi / lo < 1500) {
        for (double tick = lo; tick < hi * 1.1 && a->tick_count < TICKS_MAX;
             tick = round_up(tick * 1.5))
            a->ticks[a->tick_count++] = log10(tick);
        a->lo = log10(lo);
        a->hi = log10(hi);
        return;
    }
    a->lo = floor(log10(lo) + 1e-9);
    a->hi = ceil(log10(hi) - 1e-9);
    double every = ceil((a->hi - a->lo) / 8);
    for (double tick = a->lo; tick <= a->hi && a->tick_count < TICKS_MAX; tick += every)
        a->ticks[a->tick_count++] = tick;
}

static void lay_y(axis *y, const dp_plot *plot) {
    double lo = INFINITY, hi = -INFINITY, lo_positive = INFINITY;
    for (size_t s = 0; s < plot->series_count; s++)
        for (size_t i = 0; i < plot->count; i++) {
            double value = value_at(&plot->series[s], i);
            if (!(fabs(value) < BIGGEST))
                continue;
            lo = fmin(lo, value);
            hi = fmax(hi, value);
            if (value >= MIN_LOG)
                lo_positive = fmin(lo_positive, value);
        }
    bool wide = lo > 0 && hi > LOG_FROM_RATIO * lo && hi >= MIN_LOG;
    *y = (axis){ .logarithmic = plot->scale == DP_SCALE_AUTO && wide, .percent = plot->percent };
    if (lo > hi) { /* nothing to draw */
        y->lo = 0;
        y->hi = 1;
        lay_linear(y, 0);
    } else if (y->logarithmic) {
        y->lo = lo_positive;
        y->hi = hi;
        lay_logarithmic(y);
    } else {
        y->lo = lo > 0 && lo < hi / 2
                    ? 0
                    : lo; /* from 0 where that costs less than half of the height */
        y->hi = hi;
        lay_linear(y, 0);
    }
}

/* x is not widened to whole steps: the curve fills the width. */
static void lay_x(axis *x, const dp_plot *plot) {
    *x = (axis){ .lo = 0, .hi = 1, .logarithmic = plot->x_log };
    if (plot->count > 0) {
        x->lo = x_at(plot, 0);
        x->hi = x_at(plot, plot->count - 1);
    }
    double lo = x->lo, hi = x->hi;
    if (hi <= lo) {
        lo -= 1;
        hi += 1;
        x->ticks[x->tick_count++] = x->lo;
    } else if (x->logarithmic) {
        x->lo = pow(10, lo);
        x->hi = pow(10, hi);
        lay_logarithmic(x);
    } else {
        lay_linear(x, 1);
    }
    x->lo = lo;
    x->hi = hi;
}

static double place_x(const frame *f, double value) {
    return LEFT + (value - f->x.lo) / (f->x.hi - f->x.lo) * (WIDTH - LEFT - RIGHT);
}

/* Of a value as it is, or of a tick of the axis. */
static double place_tick_y(const frame *f, double tick) {
    return HEIGHT - BOTTOM - (tick - f->y.lo) / (f->y.hi - f->y.lo) * (HEIGHT - TOP - BOTTOM);
}

static double place_y(const frame *f, double value) {
    return place_tick_y(f, f->y.logarithmic ? log10(value) : value);
}

/* -------------------------------------------------------------------------------------- drawing */

static void put_label(dp_buffer *buffer, const axis *a, double tick) {
    double scale = a->percent ? 100 : 1;
    const char *unit = a->percent ? "%" : "";
    if (a->logarithmic) {
        double value = pow(10, tick) * scale;
        dp_buffer_printf(buffer, value >= 1 && value < 1e6 ? "%.0f%s" : "%.3g%s", value, unit);
        return;
    }
    double step = a->step * scale, digits = step > 0 ? -floor(log10(step) + 1e-9) : 0;
    if (digits > 5 || fabs(tick * scale) >= 1e6)
        dp_buffer_printf(buffer, "%.3g%s", tick * scale, unit);
    else
        dp_buffer_printf(buffer, "%.*f%s", digits > 0 ? (int)digits : 0, tick * scale + 0.0, unit);
}

static void put_axes(dp_buffer *buffer, const frame *f) {
    for (size_t i = 0; i < f->y.tick_count; i++) {
        double y = place_tick_y(f, f->y.ticks[i]);
        dp_buffer_printf(
            buffer,
            "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"y\" x=\"%d\" y=\"%.1f\">", LEFT,
            y, WIDTH - RIGHT, LEFT - 7, y + 4);
        put_label(buffer, &f->y, f->y.ticks[i]);
        dp_buffer_printf(buffer, "</text>\n");
    }
    for (size_t i = 0; i < f->x.tick_count; i++) {
        double tick = f->x.ticks[i];
        if (tick < f->x.lo || tick > f->x.hi)
            continue;
        double x = place_x(f, tick);
        dp_buffer_printf(
            buffer, "<path class=\"axis\" d=\"M%.1f %dv4\"/><text class=\"x\" x=\"%.1f\" y=\"%d\">",
            x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 17);
        put_label(buffer, &f->x, tick);
        dp_buffer_printf(buffer, "</text>\n");
    }
    dp_buffer_printf(buffer,
                     "<path class=\"axis\" d=\"M%d %dH%d\"/><text class=\"x\" x=\"%d\" y=\"%d\">",
                     LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 5);
    dp_markup_text(buffer, f->plot->x_name);
    dp_buffer_printf(buffer,
                     "%s</text>\n<text class=\"x\" transform=\"translate(12 %d) rotate(-90)\">",
                     f->x.logarithmic ? " (log scale)" : "", (TOP + HEIGHT - BOTTOM) / 2);
    dp_markup_text(buffer, f->plot->y_name ? f->plot->y_name : f->plot->title);
    dp_buffer_printf(buffer, "%s</text>\n", f->y.logarithmic ? " (log scale)" : "");
}

static void put_mark(dp_buffer *buffer, const frame *f) {
    if (f->plot->marked >= f->plot->count)
        return;
    double x = place_x(f, x_at(f->plot, f->plot->marked));
    double share = (x - LEFT) / (WIDTH - LEFT - RIGHT);
    dp_buffer_printf(buffer,
                     "<path class=\"mark\" d=\"M%.1f %dV%d\"/><text class=\"mark\" x=\"%.1f\" "
                     "y=\"%d\" text-anchor=\"%s\">",
                     x, TOP, HEIGHT - BOTTOM, x, TOP - 6,
                     share < 0.2   ? "start"
                     : share > 0.8 ? "end"
                                   : "middle");
    dp_markup_text(buffer, f->plot->mark_name);
    dp_buffer_printf(buffer, "</text>\n");
}

/* The points of a stretch that its line goes through: the least and the largest value, in their
 * order. */
static size_t stretch_points(const frame *f, const dp_series *series, size_t from,
                             size_t points[2]) {
    size_t min = SIZE_MAX, max = SIZE_MAX;
    for (size_t i = from; i < from + f->stretch && i < f->plot->count; i++) {
        double value = value_at(series, i);
        if (!drawable(&f->y, value))
            continue;
        if (min == SIZE_MAX || value < value_at(series, min))
            min = i;
        if (max == SIZE_MAX || value > value_at(series, max))
            max = i;
    }
    if (min == SIZE_MAX)
        return 0;
    points[0] = min < max ? min : max;
    points[1] = min < max ? max : min;
    return min == max ? 1 : 2;
}

static void put_series(dp_buffer *buffer, const frame *f, const dp_series *series) {
    bool pen_down = false;
    dp_buffer_printf(buffer, "<path class=\"line c%d%s\" d=\"M-9-9", series->colour,
                     series->dashed ? " dashed" : "");
    for (size_t from = 0; from < f->plot->count; from += f->stretch) {
        size_t points[2] = { 0, 0 }, count = stretch_points(f, series, from, points);
        for (size_t i = 0; i < count; i++) {
            dp_buffer_printf(buffer, "%c%.1f %.1f", pen_down ? 'L' : 'M',
                             place_x(f, x_at(f->plot, points[i])),
                             place_y(f, value_at(series, points[i])));
            pen_down = true;
        }
        pen_down = count > 0;
    }
    dp_buffer_printf(buffer, "\"/>\n");
    for (size_t i = 0; i < f->plot->count && f->plot->count <= DOTS_UP_TO; i++)
        if (drawable(&f->y, value_at(series, i)))
            dp_buffer_printf(buffer, "<circle class=\"c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"%s\"/>",
                             series->colour, place_x(f, x_at(f->plot, i)),
                             place_y(f, value_at(series, i)), series->dashed ? "1.6" : "2.2");
}

static void put_value(dp_buffer *buffer, const dp_plot *plot, double value) {
    if (!isfinite(value))
        dp_buffer_printf(buffer, "\xE2\x80\x93"); /* an en dash */
    else if (plot->percent)
        dp_buffer_printf(buffer, "%.2f %%", value * 100);
    else
        dp_buffer_printf(buffer, "%.4g", value);
}

/* Strips over the plot, one a stretch, whose title lists the values at its last point; pointing
 * shows a line and dots (style). */
static void put_strips(dp_buffer *buffer, const frame *f) {
    const dp_plot *plot = f->plot;
    for (size_t from = 0; from < plot->count; from += f->stretch) {
        size_t at = from + f->stretch <= plot->count ? from + f->stretch - 1 : plot->count - 1;
        double x = place_x(f, x_at(plot, at));
        double before = from == 0 ? LEFT : (x + place_x(f, x_at(plot, from - 1))) / 2;
        double after =
            at + 1 >= plot->count
                ? WIDTH - RIGHT
                : (x + place_x(f, x_at(plot, fmin(at + f->stretch, plot->count - 1)))) / 2;
        dp_buffer_printf(
            buffer, "<g class=\"strip\"><rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>",
            before, TOP, after - before, HEIGHT - TOP - BOTTOM);
        dp_buffer_printf(buffer, "<path d=\"M%.1f %dV%d\"/>", x, TOP, HEIGHT - BOTTOM);
        for (size_t s = 0; s < plot->series_count; s++)
            if (drawable(&f->y, value_at(&plot->series[s], at)))
                dp_buffer_printf(
                    buffer, "<circle class=\"c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>",
                    plot->series[s].colour, x, place_y(f, value_at(&plot->series[s], at)));
        dp_buffer_printf(buffer, "<title>");
        dp_markup_text(buffer, plot->x_name);
        dp_buffer_printf(buffer, plot->x_log ? " %.3g" : " %.0f",
                         plot->x_log ? pow(10, x_at(plot, at)) : x_at(plot, at));
        for (size_t s = 0; s < plot->series_count; s++) {
            dp_buffer_printf(buffer, "\n");
            dp_markup_text(buffer, plot->series[s].name);
            dp_buffer_printf(buffer, ": ");
            put_value(buffer, plot, value_at(&plot->series[s], at));
        }
        dp_buffer_printf(buffer, "</title></g>\n");
    }
}

/* A plot of one series is named by its title. */
static void put_legend(dp_buffer *buffer, const dp_plot *plot) {
    if (plot->series_count < 2)
        return;
    dp_buffer_printf(buffer, "<ul class=\"legend\">");
    for (size_t s = 0; s < plot->series_count; s++) {
        const dp_series *series = &plot->series[s];
        dp_buffer_printf(buffer,
                         "<li><svg viewBox=\"0 0 26 8\" aria-hidden=\"true\"><path class=\"line "
                         "c%d%s\" d=\"M1 4H25\"/></svg>",
                         series->colour, series->dashed ? " dashed" : "");
        dp_markup_text(buffer, series->name);
        dp_buffer_printf(buffer, "</li>");
    }
    dp_buffer_printf(buffer, "</ul>\n");
}

/* --------------------------------------------------------------------------------------- points */

enum { LABEL_HEIGHT = 13, LABEL_GAP = 7, LETTER_WIDTH = 7 /* about */, DOT = 4 /* radius */ };

static double point_x(const frame *f, const dp_point *point) {
    return place_x(f, f->x.logarithmic ? log10(point->x) : point->x);
}

static bool point_drawable(const frame *f, const dp_point *point) {
    return point->x > 0 && point->x < BIGGEST && drawable(&f->y, point->y);
}

/* Both axes around the points that can be drawn; false: there are none. */
static bool lay_points(frame *f, const dp_scatter *scatter) {
    double x_lo = INFINITY, x_hi = 0, y_lo = INFINITY, y_hi = -INFINITY;
    f->y = (axis){ .percent = scatter->percent, .logarithmic = scatter->logarithmic };
    for (size_t i = 0; i < scatter->count; i++) {
        const dp_point *point = &scatter->points[i];
        if (!point_drawable(f, point))
            continue;
        x_lo = fmin(x_lo, point->x);
        x_hi = fmax(x_hi, point->x);
        y_lo = fmin(y_lo,
                    fmin(point->y, point->low)); /* fmin and fmax pass over what is not a number */
        y_hi = fmax(y_hi, fmax(point->y, point->high));
    }
    if (scatter->shares) {
        f->x = f->y = (axis){ .lo = 0, .hi = 1, .percent = true };
        lay_linear(&f->x, 0);
        lay_linear(&f->y, 0);
        return x_hi > 0;
    }
    f->x = (axis){ .logarithmic = true, .lo = x_lo / 1.5, .hi = x_hi * 1.5 };
    f->y.lo = y_lo;
    f->y.hi = y_hi;
    if (x_hi <= 0)
        return false;
    lay_logarithmic(&f->x);
    if (f->y.logarithmic)
        lay_logarithmic(&f->y);
    else
        lay_linear(&f->y, 0);
    return true;
}

/* Where a name stands: beside its point. */
typedef struct name_place {
    double from, to, height; /* of the text, about; height NAN: not drawn */
    bool left;
} name_place;

/* lines: below the point's own height; negative: above. */
static name_place beside(const frame *f, const dp_point *point, bool left, int lines) {
    double x = point_x(f, point), width = LETTER_WIDTH * (double)strlen(point->name);
    return (name_place){ left ? x - LABEL_GAP - width : x + LABEL_GAP,
                         left ? x - LABEL_GAP : x + LABEL_GAP + width,
                         place_y(f, point->y) + lines * LABEL_HEIGHT, left };
}

static bool on_name(const name_place *name, const name_place *place) {
    return name->from < place->to && place->from < name->to
           && fabs(name->height - place->height) < LABEL_HEIGHT;
}

/* On the dot of a point or the line of its interval. */
static bool on_mark(const frame *f, const dp_point *point, const name_place *place) {
    if (!point_drawable(f, point))
        return false;
    double x = point_x(f, point), y = place_y(f, point->y);
    bool line = !f->y.logarithmic && isfinite(point->low) && isfinite(point->high);
    double top = line ? place_y(f, point->high) : y - DOT,
           foot = line ? place_y(f, point->low) : y + DOT;
    return place->from < x + DOT && place->to > x - DOT && top < place->height + LABEL_HEIGHT / 2.0
           && foot > place->height - LABEL_HEIGHT / 2.0;
}

/* Whether name `number` can stand there, the names before it being placed; with `marks` beside the
 * other points, too. */
static bool is_free(const frame *f, const dp_scatter *scatter, const name_place *places,
                    size_t number, const name_place *place, bool marks) {
    bool good = place->from > LEFT && place->to < WIDTH && place->height > TOP
                && place->height < HEIGHT - BOTTOM;
    for (size_t i = 0; i < number && good; i++)
        good = !on_name(&places[i], place);
    for (size_t i = 0; i < scatter->count && good && marks; i++)
        good = i == number || !on_mark(f, &scatter->points[i], place);
    return good;
}

/* A name stands on the side of its point that has more room, on the other one where something is in
 * the way, else some lines lower or higher; where nothing is free it may stand on marks, but not on
 * names. */
static void place_names(const frame *f, const dp_scatter *scatter, name_place *places) {
    static const int lines[] = { 0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5 };
    enum { WAYS = 2 * sizeof lines / sizeof *lines };
    for (size_t i = 0; i < scatter->count; i++) {
        const dp_point *point = &scatter->points[i];
        places[i] = (name_place){ .height = NAN };
        if (!point_drawable(f, point))
            continue;
        bool left = point_x(f, point) > (LEFT + WIDTH - RIGHT) / 2.0, placed = false;
        for (size_t k = 0; k < 2 * WAYS && !placed; k++) {
            name_place wanted = beside(f, point, left ^ (k % 2 == 1), lines[k % WAYS / 2]);
            placed = is_free(f, scatter, places, i, &wanted, k < WAYS);
            if (placed || k == 0)
                places[i] = wanted;
        }
    }
}

static void put_point(dp_buffer *buffer, const frame *f, const dp_point *point,
                      const name_place *place, int colour) {
    double x = point_x(f, point);
    dp_buffer_printf(buffer, "<g>");
    if (!f->y.logarithmic && isfinite(point->low) && isfinite(point->high))
        dp_buffer_printf(buffer, "<path class=\"line c%d\" d=\"M%.1f %.1fV%.1f\"/>", colour, x,
                         place_y(f, point->low), place_y(f, point->high));
    dp_buffer_printf(
        buffer,
        "<circle class=\"c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"%d\"/><text x=\"%.1f\" y=\"%.1f\"%s>",
        colour, x, place_y(f, point->y), DOT, place->left ? place->to : place->from,
        place->height + 4, place->left ? " text-anchor=\"end\"" : "");
    dp_markup_text(buffer, point->name);
    dp_buffer_printf(buffer, "</text><title>");
    dp_markup_text(buffer, point->name);
    dp_buffer_printf(buffer, ": ");
    put_value(buffer, f->plot, point->y);
    dp_buffer_printf(buffer, "</title></g>\n");
}

static void begin_figure(dp_buffer *buffer, const char *title, bool logarithmic) {
    dp_buffer_printf(buffer, "<figure class=\"plot\"><figcaption>");
    dp_markup_text(buffer, title);
    dp_buffer_printf(buffer,
                     "%s</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
                     logarithmic ? " <small>(log scale)</small>" : "", WIDTH, HEIGHT);
    dp_markup_text(buffer, title);
    dp_buffer_printf(buffer, "\">\n");
}

void dp_scatter_write(dp_buffer *buffer, const dp_scatter *scatter) {
    dp_scatter shown = *scatter;
    const dp_plot plot = { .title = scatter->title,
                           .x_name = scatter->x_name,
                           .y_name = scatter->y_name,
                           .percent = scatter->percent };
    name_place places[DP_SCATTER_POINTS];
    frame f = { .plot = &plot };
    shown.count = shown.count < DP_SCATTER_POINTS ? shown.count : DP_SCATTER_POINTS;
    if (!lay_points(&f, &shown))
        return;
    place_names(&f, &shown, places);
    begin_figure(buffer, scatter->title, f.y.logarithmic);
    put_axes(buffer, &f);
    if (scatter->shares)
        dp_buffer_printf(buffer, "<path class=\"mark\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n",
                         place_x(&f, 0), place_tick_y(&f, 0), place_x(&f, 1), place_tick_y(&f, 1));
    for (size_t i = 0; i < shown.count; i++)
        if (point_drawable(&f, &shown.points[i]))
            put_point(buffer, &f, &shown.points[i], &places[i],
                      scatter->shares ? 0 : (int)(i % DP_PLOT_COLOURS));
    dp_buffer_printf(buffer, "</svg>\n</figure>\n");
}

/* ---------------------------------------------------------------------------------------- lines */

void dp_plot_write(dp_buffer *buffer, const dp_plot *plot) {
    frame f = { .plot = plot, .stretch = plot->count / STRETCHES + 1 };
    lay_x(&f.x, plot);
    lay_y(&f.y, plot);
    begin_figure(buffer, plot->title, f.y.logarithmic);
    put_axes(buffer, &f);
    put_mark(buffer, &f);
    for (size_t s = 0; s < plot->series_count; s++)
        put_series(buffer, &f, &plot->series[s]);
    put_strips(buffer, &f);
    dp_buffer_printf(buffer, "</svg>\n");
    put_legend(buffer, plot);
    dp_buffer_printf(buffer, "</figure>\n");
}

const char dp_plot_style[] =
    "svg text{font-size:12px;fill:var(--faint)}\n"
    "svg .y{text-anchor:end}svg .x{text-anchor:middle}\n"
    "svg path{fill:none}\n"
    ".grid{stroke:var(--rule)}.axis{stroke:var(--faint)}\n"
    "path.mark{stroke:var(--faint);stroke-dasharray:2 3}\n"
    ".line{stroke-width:2;stroke-linejoin:round;stroke-linecap:round}\n"
    ".dashed{stroke-dasharray:4 4;stroke-width:1.6}\n"
    "path.c0{stroke:var(--c0)}path.c1{stroke:var(--c1)}path.c2{stroke:var(--c2)}path.c3{stroke:var("
    "--c3)}\n"
    "circle.c0{fill:var(--c0)}circle.c1{fill:var(--c1)}circle.c2{fill:var(--c2)}circle.c3{fill:var("
    "--c3)}\n"
    ".strip rect{fill:transparent}.strip path{stroke:var(--faint)}\n"
    ".strip path,.strip circle{opacity:0}\n"
    ".strip:hover path,.strip:hover circle{opacity:1}\n"
    ".plot svg{display:block;width:100%;height:auto;overflow:visible}\n"
    ".legend{display:grid;grid-template-columns:repeat(auto-fill,minmax(9rem,1fr));gap:.1rem .8rem;"
    "margin:.4rem 0 0;padding:0;list-style:none;font-size:.85rem;color:var(--soft)}\n"
    ".legend li{display:flex;align-items:center;gap:.4rem}.legend "
    "svg{flex:none;width:26px;height:8px}\n"
    ":root{--c0:#1f5fd0;--c1:#c2570c;--c2:#0b7a63;--c3:#8b3fb8}\n"
    "@media screen and (prefers-color-scheme:dark){:root{--c0:#74a9ff;--c1:#f59e56;--c2:#45c9a5;"
    "--c3:#cf95f0}}\n";
