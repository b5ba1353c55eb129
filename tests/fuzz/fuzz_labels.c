/* fuzz_labels.c - label tables: after one byte a label file (byte even) or the JSON of a model file
 * (odd). Checked: the ids of a table that is taken are there, differ, and it comes back from its
 * JSON the same.
 *
 * covers: src/model/labels.c */
#include "helpers/fuzz.h"
#include "model/labels.h"

#include <stdlib.h>
#include <string.h>

/* The 1000 classes that are built in have to be a sound table too; once is enough. */
static void check_built_in(void) {
    static bool done;
    if (done)
        return;
    dp_labels labels;
    fuzz_demand(dp_labels_ilsvrc2012(&labels, NULL, NULL) == DEEPER_OK && labels.count == 1000);
    dp_labels_free(&labels, NULL);
    done = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check_built_in();
    if (size < 1)
        return 0;
    dp_labels labels, again;
    deeper_error error = { 0 };
    char *text = calloc(size, 1); /* the bytes after the first, and a zero */
    fuzz_demand(text != NULL);
    memcpy(text, data + 1, size - 1);
    deeper_status status =
        data[0] % 2 ? dp_labels_from_json(&labels, text, "input", NULL, &error)
                    : dp_labels_from_text(&labels, text, size - 1, "input", NULL, &error);
    free(text);
    if (status != DEEPER_OK) {
        fuzz_demand(error.status == status && strncmp(error.message, "input: ", 7) == 0
                    && !labels.items && !labels.text);
        return 0;
    }
    fuzz_demand(labels.count > 0);
    char *json = dp_labels_to_json(&labels);
    fuzz_demand(json && dp_labels_from_json(&again, json, "input", NULL, NULL) == DEEPER_OK
                && again.count == labels.count);
    for (size_t i = 0; i < labels.count; i++)
        fuzz_demand(labels.items[i].id[0] && strcmp(again.items[i].id, labels.items[i].id) == 0
                    && strcmp(again.items[i].name, labels.items[i].name) == 0);
    free(json);
    dp_labels_free(&again, NULL);
    dp_labels_free(&labels, NULL);
    return 0;
}
