/* tuning.c - see tuning.h. A network has some twenty kinds of convolutions, so the table is
 * searched from its beginning. */
#include "plan/tuning.h"

bool dp_tuning_same_key(const dp_tuning_key *a, const dp_tuning_key *b) {
    return a->isa == b->isa && a->channels == b->channels && a->outputs == b->outputs
           && a->height == b->height && a->width == b->width && a->taps == b->taps
           && a->phases == b->phases;
}

bool dp_tuning_same_choice(const dp_tuning_choice *a, const dp_tuning_choice *b) {
    return a->points == b->points && a->even == b->even && a->panel == b->panel;
}

static dp_tuned *find(const dp_tuning *tuning, const dp_tuning_key *key) {
    for (size_t i = 0; tuning && i < tuning->count; i++)
        if (dp_tuning_same_key(&tuning->items[i].key, key))
            return &tuning->items[i];
    return NULL;
}

const dp_tuning_choice *dp_tuning_find(const dp_tuning *tuning, const dp_tuning_key *key) {
    const dp_tuned *tuned = find(tuning, key);
    return tuned ? &tuned->choice : NULL;
}

deeper_status dp_tuning_put(dp_tuning *tuning, const dp_tuned *tuned, deeper_error *error) {
    dp_tuned *place = find(tuning, &tuned->key);
    if (!place) {
        if (tuning->count == DP_TUNING_MAX)
            return dp_fail(error, DEEPER_ERROR_LIMIT, "a tuning of more than %d convolutions",
                           DP_TUNING_MAX);
        void *items = tuning->items;
        bool room = dp_reserve(tuning->allocator, &items, &tuning->capacity, tuning->count + 1,
                               sizeof *tuning->items);
        tuning->items = items;
        if (!room)
            return dp_fail_memory(error, "a tuning");
        place = &tuning->items[tuning->count++];
    }
    *place = *tuned;
    return DEEPER_OK;
}

void dp_tuning_free(dp_tuning *tuning) {
    dp_free(tuning->allocator, tuning->items);
    *tuning = (dp_tuning){ .allocator = tuning->allocator };
}
