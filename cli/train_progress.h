/* train_progress.h - how a training run shows itself while it goes: epochs as results on stdout
 * (text or JSON lines), a live line or sparse plain lines on stderr, warnings and unreadable
 * pictures as they come. */
#ifndef CLI_TRAIN_PROGRESS_H
#define CLI_TRAIN_PROGRESS_H

#include <deeper/deeper.h>

typedef struct cli_train_progress {
    double shown;                      /* when the last line within an epoch was shown */
    int epoch;                         /* of the mean below */
    double losses[DEEPER_TRAIN_HEADS]; /* running means over some steps: a single step jumps too
                                          much to read */
} cli_train_progress;

void cli_train_progress_begin(cli_train_progress *progress);

/* As deeper_train_calls.event; context is the cli_train_progress. */
void cli_train_progress_event(void *context, const deeper_train_event *event);

/* "3:07" or "2:05:09" of a number of seconds, into `text`, which is returned; "?" if it is not
 * known. */
const char *cli_duration(double seconds, char text[32]);

#endif
