/* train_rates.h - what `deeper train --lr-find` shows: progress while the rates are tried, then the
 * losses and the suggestion. It only shows; command_train.c starts and stops the search. */
#ifndef CLI_TRAIN_RATES_H
#define CLI_TRAIN_RATES_H

#include "output.h"
#include "train_progress.h"

typedef struct cli_rates_progress {
    cli_progress steps;
    cli_train_progress messages;
} cli_rates_progress;

void cli_rates_begin(cli_rates_progress *progress);
void cli_rates_event(void *context, const deeper_train_event *event); /* for deeper_train_calls */

/* Prints the search. train: the options it was made with, so that the command to go on with can be
 * said. page: the curve's file, or NULL. Returns the exit code: failed where no rate can be
 * suggested. */
int cli_rates_print(const deeper_rate_search *search, const deeper_train_options *train,
                    const char *page);

#endif
