/* sets.c - see sets.h. */
#include "sets.h"

#include "output.h"

#include <string.h>

static void on_note(void *context, const char *path, const char *message) {
    cli_note("%s: %s", path, message);
}

const app_sources_calls cli_sources_calls = { .problem = cli_on_problem, .note = on_note };

void cli_set_notes(const deeper_dataset *dataset) {
    const char *note;
    for (size_t i = 0; dataset && (note = deeper_dataset_note(dataset, i)) != NULL; i++)
        cli_note("%s", note);
}

int cli_set_open(deeper_dataset **dataset, const cli_args *args) {
    const char *data = cli_text(args, "data");
    deeper_error error = { 0 };
    *dataset = NULL;
    if (!data)
        return CLI_DONE;
    deeper_part part = cli_given(args, "part")
                           ? (deeper_part)(DEEPER_PART_TRAIN + cli_choice(args, "part"))
                           : DEEPER_PART_MEASURED;
    if (deeper_dataset_open_part(dataset, data, cli_text(args, "root"), part, NULL, &error))
        return cli_failure(&error);
    if (strcmp(deeper_dataset_path(*dataset), data) != 0)
        cli_note("%s: the pictures are those of %s", data, deeper_dataset_path(*dataset));
    cli_set_notes(*dataset);
    return CLI_DONE;
}
