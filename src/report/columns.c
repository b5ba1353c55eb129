/* columns.c - the table of an epoch's figures. A new figure is a row here and a field of
 * dp_report_epoch. */
#include "report/columns.h"

#include <stddef.h>

static const struct {
    const char *name, *tag;
    size_t offset;
    bool each_head; /* the offset is that of an array, an element a head */
} figures[] = {
    { "seconds", "run/seconds", offsetof(dp_report_epoch, seconds), false },
    { "learning_rate", "run/learning_rate", offsetof(dp_report_epoch, rate), false },
    { "images_per_second", "run/images_per_second", offsetof(dp_report_epoch, images_per_second),
      false },
    { "gradient_norm", "run/gradient_norm", offsetof(dp_report_epoch, gradient_norm), false },
    { "train_loss", "train/loss", offsetof(dp_report_epoch, train_loss), false },
    { "train_loss", "train/loss", offsetof(dp_report_epoch, train_losses), true },
    { "train_top1", "train/top1", offsetof(dp_report_epoch, train_top1), false },
    { "val_loss", "val/loss", offsetof(dp_report_epoch, val_losses), true },
    { "val_top1", "val/top1", offsetof(dp_report_epoch, val_top1), false },
    { "val_top5", "val/top5", offsetof(dp_report_epoch, val_top5), false },
};

size_t dp_report_heads(const dp_report *report) {
    return report->heads < 0                 ? 0
           : report->heads > DP_REPORT_HEADS ? DP_REPORT_HEADS
                                             : (size_t)report->heads;
}

size_t dp_columns(dp_column columns[DP_COLUMNS_MAX], const dp_report *report) {
    size_t count = 0;
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        size_t heads = figures[i].each_head ? dp_report_heads(report) : 1;
        for (size_t head = 0; head < heads; head++)
            columns[count++] =
                (dp_column){ .name = figures[i].name,
                             .tag = figures[i].tag,
                             .head = figures[i].each_head ? report->head_names[head] : NULL,
                             .offset = figures[i].offset + head * sizeof(double) };
    }
    return count;
}

double dp_column_value(const dp_column *column, const dp_report_epoch *epoch) {
    return *(const double *)((const char *)epoch + column->offset);
}

size_t dp_report_best(const dp_report *report) {
    for (size_t i = report->epoch_count; i-- > 0;)
        if (report->epochs[i].best)
            return i;
    return report->epoch_count;
}
