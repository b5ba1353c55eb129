/* scores_page.h - the page of an evaluation. Here, for eval/ and report/ do not see each other. */
#ifndef DP_MEASURE_SCORES_PAGE_H
#define DP_MEASURE_SCORES_PAGE_H

#include "data/dataset.h"
#include "eval/scores.h"

/* Contract: deeper_scores_report in deeper.h; pictures and command may be NULL. */
deeper_status dp_scores_page(const char *path, const dp_scores *scores, const dp_dataset *pictures,
                             const char *command, deeper_error *error);

#endif
