/* scores.h - how an evaluation is told: the figures of one model, or the table of models and crops,
 * as text, JSON and CSV. */
#ifndef CLI_SCORES_H
#define CLI_SCORES_H

#include <deeper/deeper.h>

/* The last row on stdout; an object with --json. what: of the model. threads 0: nothing was
 * computed. */
void cli_scores_print(const deeper_scores *scores, const char *what, const char *combine,
                      int threads);

/* What a file of saved answers holds, and its last row; an object with --json. bytes: of the
 * file. */
void cli_scores_about(const deeper_scores *scores, const char *path, uint64_t bytes);

/* All rows on stdout, an object a line with --json. */
void cli_scores_table(const deeper_scores *scores);

/* All rows as a CSV file with a header. Returns an exit code, after a line on stderr where it is
 * not CLI_DONE. */
int cli_scores_csv(const deeper_scores *scores, const char *path);

#endif
