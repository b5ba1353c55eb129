/* seeds_run.c - seeds for what a run keeps of itself: the progress of one that has just begun, and
 * of one after two epochs.
 *
 *     seeds_run FOLDER        fills FOLDER/fuzz_progress */
#include "train/record/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int main(int argc, char **argv) {
    char path[4096];
    dp_progress progress = { .epochs = 3, .factor = 1 };
    if (argc != 2) {
        fprintf(stderr, "usage: seeds_run FOLDER\n");
        return 2;
    }
    mkdir(argv[1], 0777);
    snprintf(path, sizeof path, "%s/fuzz_progress", argv[1]);
    mkdir(path, 0777);
    for (int i = 0; i < 3; i++) {
        char *text = dp_progress_to_json(&progress);
        snprintf(path, sizeof path, "%s/fuzz_progress/%d", argv[1], i);
        FILE *file = fopen(path, "wb");
        if (!text || !file || fputs(text, file) < 0 || fclose(file) != 0) {
            perror(path);
            return 1;
        }
        free(text);
        const dp_report_epoch epoch = {
            .epoch = i + 1, .train_loss = 0.5, .rate = 0.1, .best = true
        };
        if (!dp_progress_add(&progress, &epoch, NULL))
            return 1;
        progress.epoch_images = 100;
        progress.fitted = true;
        progress.best_epoch = i + 1;
    }
    dp_progress_free(&progress, NULL);
    return 0;
}
