/* confusion.c - the confusion matrix. Rows are true classes, columns predicted ones; shares are of
 * the row unless said otherwise. */
#include "report/confusion.h"

#include "report/markup.h"
#include "report/quality.h"

#include <math.h>
#include <stdlib.h>

enum {
    TABLE_UP_TO = 60, /* classes whose matrix can be read as a table */
    BESIDE_UP_TO = 8, /* classes whose table fits in half the page's width */
    DENSE_FROM = 16,  /* classes from which its cells are small, */
    TINY_FROM = 40,   /* and as small as can be read */
    PAIRS = 10,       /* listed beside the table */
    PAIRS_ALONE = 40  /* listed instead of it */
};

typedef struct class_figures {
    size_t index;
    uint64_t right, images, predicted;
    double f1; /* NAN: nothing to divide by */
} class_figures;

typedef struct pair {
    size_t label, predicted;
    uint64_t count;
} pair;

static uint64_t at(const dp_report *report, size_t label, size_t predicted) {
    return report->confusion[label * report->class_count + predicted];
}

static uint64_t row_sum(const dp_report *report, size_t label) {
    uint64_t sum = 0;
    for (size_t i = 0; i < report->class_count; i++)
        sum += at(report, label, i);
    return sum;
}

static double share(uint64_t part, uint64_t whole) {
    return whole ? (double)part / (double)whole : NAN;
}

uint64_t dp_confusion_total(const dp_report *report, uint64_t *right) {
    uint64_t total = 0;
    *right = 0;
    for (size_t i = 0; i < report->class_count; i++) {
        total += row_sum(report, i);
        *right += at(report, i, i);
    }
    return total;
}

void dp_confusion_name(dp_buffer *buffer, const dp_report *report, size_t index) {
    if (index < report->class_count && report->classes && report->classes[index])
        dp_markup_text(buffer, report->classes[index]);
    else
        dp_buffer_printf(buffer, "class %zu", index);
}

/* ---------------------------------------------------------------------------------------- table */

static void put_cell(dp_buffer *buffer, const dp_report *report, size_t label, size_t predicted,
                     uint64_t images) {
    uint64_t count = at(report, label, predicted);
    if (count == 0) {
        dp_buffer_printf(buffer, "<td%s></td>", label == predicted ? " class=\"hit\"" : "");
        return;
    }
    /* Errors are few beside hits: the root makes them visible. */
    double part = share(count, images), depth = label == predicted ? part : sqrt(part);
    dp_buffer_printf(buffer, "<td class=\"%s%s\" style=\"--v:%.2f\" title=\"",
                     label == predicted ? "hit" : "miss", depth > 0.88 ? " deep" : "", depth);
    dp_confusion_name(buffer, report, label);
    dp_buffer_printf(buffer, " as ");
    dp_confusion_name(buffer, report, predicted);
    dp_buffer_printf(buffer, ": %llu of %llu, %.1f %%\">%llu</td>", (unsigned long long)count,
                     (unsigned long long)images, part * 100, (unsigned long long)count);
}

static void put_table(dp_buffer *buffer, const dp_report *report) {
    dp_buffer_printf(
        buffer,
        "<section><h2>Confusion matrix</h2><p class=\"note\">Rows are true classes, "
        "columns are predictions. "
        "Shades are shares of the row.</p>\n"
        "<div class=\"wide\" tabindex=\"0\"><table class=\"heat%s\"><thead><tr><td></td>",
        report->class_count >= TINY_FROM    ? " dense tiny"
        : report->class_count >= DENSE_FROM ? " dense"
                                            : "");
    for (size_t i = 0; i < report->class_count; i++) {
        dp_buffer_printf(buffer, "<th scope=\"col\"><span>");
        dp_confusion_name(buffer, report, i);
        dp_buffer_printf(buffer, "</span></th>");
    }
    dp_buffer_printf(buffer, "</tr></thead><tbody>\n");
    for (size_t label = 0; label < report->class_count; label++) {
        uint64_t images = row_sum(report, label);
        dp_buffer_printf(buffer, "<tr><th scope=\"row\">");
        dp_confusion_name(buffer, report, label);
        dp_buffer_printf(buffer, "</th>");
        for (size_t predicted = 0; predicted < report->class_count; predicted++)
            put_cell(buffer, report, label, predicted, images);
        dp_buffer_printf(buffer, "</tr>\n");
    }
    dp_buffer_printf(buffer, "</tbody></table></div></section>\n");
}

/* ---------------------------------------------------------------------------------------- pairs */

/* The `limit` most frequent errors, most frequent first, equal ones in the order of the table. */
static size_t find_pairs(pair *pairs, size_t limit, const dp_report *report) {
    size_t pair_count = 0;
    for (size_t label = 0; label < report->class_count; label++)
        for (size_t predicted = 0; predicted < report->class_count; predicted++) {
            uint64_t count = at(report, label, predicted);
            if (label == predicted || count == 0
                || (pair_count == limit && count <= pairs[pair_count - 1].count))
                continue;
            size_t place = pair_count < limit ? pair_count++ : pair_count - 1;
            for (; place > 0 && pairs[place - 1].count < count; place--)
                pairs[place] = pairs[place - 1];
            pairs[place] = (pair){ .label = label, .predicted = predicted, .count = count };
        }
    return pair_count;
}

/* hits of images as a cell: the share, and the interval it is known within on pointing. */
static void put_share(dp_buffer *buffer, uint64_t hits, uint64_t images) {
    if (images > 0) {
        double value = share(hits, images);
        dp_buffer_printf(buffer, "<td class=\"bar\" style=\"--v:%.3f\" title=\"95 %%: ", value);
        dp_quality_interval(buffer, hits, images);
        dp_buffer_printf(buffer, "\">%.1f %%</td>", value * 100);
    } else
        dp_buffer_printf(buffer, "<td class=\"bar\" style=\"--v:0\">\xE2\x80\x93</td>");
}

static void put_pairs(dp_buffer *buffer, const dp_report *report) {
    pair pairs[PAIRS_ALONE];
    size_t count =
        find_pairs(pairs, report->class_count <= TABLE_UP_TO ? PAIRS : PAIRS_ALONE, report);
    dp_buffer_printf(buffer, "<section><h2>Most confused pairs</h2>\n");
    if (count == 0) {
        dp_buffer_printf(buffer,
                         "<p class=\"note\">None: every picture was recognised.</p></section>\n");
        return;
    }
    dp_buffer_printf(
        buffer,
        "<div class=\"wide scroll\" tabindex=\"0\"><table><thead><tr><th>True</th><th>Taken "
        "for</th><th class=\"n\">Pictures</th>"
        "<th class=\"n\">Of the true class</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < count; i++) {
        dp_buffer_printf(buffer, "<tr><td>");
        dp_confusion_name(buffer, report, pairs[i].label);
        dp_buffer_printf(buffer, "</td><td>");
        dp_confusion_name(buffer, report, pairs[i].predicted);
        dp_buffer_printf(buffer, "</td><td class=\"n\">%llu</td>",
                         (unsigned long long)pairs[i].count);
        put_share(buffer, pairs[i].count, row_sum(report, pairs[i].label));
        dp_buffer_printf(buffer, "</tr>\n");
    }
    dp_buffer_printf(buffer, "</tbody></table></div></section>\n");
}

/* -------------------------------------------------------------------------------------- classes */

/* The weakest first; classes without pictures last; then in the order of the table. */
static int by_weakness(const void *a, const void *b) {
    const class_figures *x = a, *y = b;
    if (isnan(x->f1) != isnan(y->f1))
        return isnan(x->f1) ? 1 : -1;
    if (!isnan(x->f1) && x->f1 != y->f1)
        return x->f1 < y->f1 ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static void measure(class_figures *figures, const dp_report *report) {
    for (size_t i = 0; i < report->class_count; i++)
        figures[i] =
            (class_figures){ .index = i, .right = at(report, i, i), .images = row_sum(report, i) };
    for (size_t label = 0; label < report->class_count; label++)
        for (size_t predicted = 0; predicted < report->class_count; predicted++)
            figures[predicted].predicted += at(report, label, predicted);
    for (size_t i = 0; i < report->class_count; i++) {
        class_figures *c = &figures[i];
        c->f1 = c->images ? share(2 * c->right, c->images + c->predicted) : NAN;
    }
    qsort(figures, report->class_count, sizeof *figures, by_weakness);
}

static deeper_status put_classes(dp_buffer *buffer, const dp_report *report, deeper_error *error) {
    class_figures *figures = dp_alloc_raw(buffer->allocator, report->class_count, sizeof *figures);
    if (!figures)
        return dp_fail_memory(error, "the figures of the classes");
    measure(figures, report);
    dp_buffer_printf(buffer, "<section><h2>Classes, weakest first</h2>\n<div class=\"wide "
                             "scroll\"><table><thead><tr><th>Class</th>"
                             "<th class=\"n\">Pictures</th><th class=\"n\">Precision</th><th "
                             "class=\"n\">Recall</th><th class=\"n\">F1</th>"
                             "</tr></thead><tbody>\n");
    for (size_t i = 0; i < report->class_count; i++) {
        const class_figures *c = &figures[i];
        if (c->images + c->predicted == 0 && report->class_count > TABLE_UP_TO)
            continue; /* of a thousand classes only those that have to do with the pictures */
        dp_buffer_printf(buffer, "<tr><td>");
        dp_confusion_name(buffer, report, c->index);
        dp_buffer_printf(buffer, "</td><td class=\"n\">%llu</td>", (unsigned long long)c->images);
        put_share(buffer, c->right, c->predicted);
        put_share(buffer, c->right, c->images);
        if (isnan(c->f1))
            dp_buffer_printf(buffer, "<td class=\"n\">\xE2\x80\x93</td>");
        else
            dp_buffer_printf(buffer, "<td class=\"n\">%.3f</td>", c->f1);
        dp_buffer_printf(buffer, "</tr>\n");
    }
    dp_buffer_printf(buffer, "</tbody></table></div></section>\n");
    dp_free(buffer->allocator, figures);
    return DEEPER_OK;
}

deeper_status dp_confusion_write(dp_buffer *buffer, const dp_report *report, deeper_error *error) {
    if (!report->confusion || report->class_count == 0)
        return DEEPER_OK;
    bool table = report->class_count <= TABLE_UP_TO, beside = report->class_count <= BESIDE_UP_TO;
    if (table && !beside)
        put_table(buffer, report);
    dp_buffer_printf(buffer, "<div class=\"columns\"><div>\n");
    if (beside)
        put_table(buffer, report);
    DP_TRY(put_classes(buffer, report, error));
    dp_buffer_printf(buffer, "</div><div>\n");
    put_pairs(buffer, report);
    dp_buffer_printf(buffer, "</div></div>\n");
    return DEEPER_OK;
}
