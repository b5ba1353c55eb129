/* seeds_run.c - seeds for what a run keeps of itself: the progress of one that has just begun, and
 * of one after two epochs.
 *
 *     seeds_run FOLDER        fills FOLDER/fuzz_progress */
#include "helpers/seeds.h"
#include "train/record/progress.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    dp_progress progress = { .epochs = 3, .factor = 1 };
    seeds_open(argc, argv);
    seeds_begin("fuzz_progress");
    for (int i = 0; i < 3; i++) {
        char *text = dp_progress_to_json(&progress);
        if (!text)
            return 1;
        seeds_save(text, strlen(text));
        free(text);
        const dp_report_epoch epoch = {
            .epoch = i + 1, .train_loss = 0.5, .rate = 0.1, .best = true
        };
        if (!dp_progress_add(&progress, &epoch, NULL))
            return 1;
        dp_length_parse(&progress.length, "900,3:100,20:110");
        progress.planned = 1.5;
        progress.best_epoch = i + 1;
    }
    dp_progress_free(&progress, NULL);
    return 0;
}
