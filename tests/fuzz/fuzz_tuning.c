/* fuzz_tuning.c - files of tunings. Checked: what is taken comes back from its own text the same,
 * every choice in it is one that the planner could make, and what is refused is told in one line
 * that names the file.
 *
 * covers: src/formats/tuning.c src/plan/tuning.c */
#include "formats/tuning.h"
#include "helpers/fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void demand_same(const dp_tuning *a, const dp_tuning *b) {
    fuzz_demand(a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        const dp_tuning_choice *answer = dp_tuning_find(b, &a->items[i].key);
        fuzz_demand(answer && dp_tuning_same_choice(answer, &a->items[i].choice));
    }
}

/* Through a file of this machine; once is enough. */
static void check_file(const dp_tuning *tuning) {
    static bool done;
    char path[] = "/tmp/fuzz_tuning_XXXXXX";
    int file = done ? -1 : mkstemp(path);
    dp_tuning back;
    if (file < 0)
        return;
    fuzz_demand(dp_tuning_join(tuning, path, NULL) == DEEPER_OK
                && dp_tuning_read(&back, path, NULL, NULL) == DEEPER_OK);
    demand_same(tuning, &back);
    dp_tuning_free(&back);
    close(file);
    unlink(path);
    done = true;
}

static void check_choices(const dp_tuning *tuning) {
    dp_tuning_choice all[DP_TUNING_CANDIDATES];
    for (size_t i = 0; i < tuning->count; i++) {
        const dp_tuned *tuned = &tuning->items[i];
        if (!dp_kernels_for(tuned->key.isa))
            continue;
        int count = dp_winograd_candidates(all, &tuned->key), k = 0;
        while (k < count && !dp_tuning_same_choice(&all[k], &tuned->choice))
            k++;
        fuzz_demand(k < count);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dp_tuning tuning, back;
    dp_buffer text;
    deeper_error error = { 0 };
    deeper_status status = dp_tuning_parse(&tuning, data, size, "input", "here", NULL, &error);
    if (status != DEEPER_OK) {
        fuzz_demand(error.status == status && strncmp(error.message, "input: ", 7) == 0
                    && !strchr(error.message, '\n'));
        dp_tuning_free(&tuning);
        return 0;
    }
    check_choices(&tuning);
    dp_buffer_init(&text, NULL, 16 << 20);
    dp_tuning_print(&tuning, "here", &text);
    fuzz_demand(!text.failed
                && dp_tuning_parse(&back, text.data, text.size, "input", "here", NULL, NULL)
                       == DEEPER_OK);
    demand_same(&tuning, &back);
    check_file(&tuning);
    dp_buffer_free(&text);
    dp_tuning_free(&back);
    dp_tuning_free(&tuning);
    return 0;
}
