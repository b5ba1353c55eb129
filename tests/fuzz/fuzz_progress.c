/* fuzz_progress.c - the progress of a run as a checkpoint keeps it, JSON. Checked: what is read is
 * written again, and read again to the same text.
 *
 * covers: src/train/record/progress.c src/train/record/fields.c */
#include "helpers/fuzz.h"
#include "train/record/progress.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dp_progress progress, again;
    deeper_error error = { 0 };
    char *text = calloc(size + 1, 1);
    fuzz_demand(text != NULL);
    if (size)
        memcpy(text, data, size);
    deeper_status status = dp_progress_from_json(&progress, text, "input", NULL, &error);
    free(text);
    if (status != DEEPER_OK) {
        fuzz_demand(error.status == status && strncmp(error.message, "input: ", 7) == 0
                    && !progress.history);
        return 0;
    }
    char *first = dp_progress_to_json(&progress);
    fuzz_demand(first && dp_progress_from_json(&again, first, "input", NULL, NULL) == DEEPER_OK);
    fuzz_demand(again.history_count == progress.history_count && again.step == progress.step);
    char *second = dp_progress_to_json(&again);
    fuzz_demand(second && strcmp(first, second) == 0);
    free(first);
    free(second);
    dp_progress_free(&progress, NULL);
    dp_progress_free(&again, NULL);
    return 0;
}
