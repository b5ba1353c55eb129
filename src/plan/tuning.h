/* tuning.h - how convolutions are to be computed where somebody has measured it: a table that the
 * planner asks before its own model of the time (conv/tiles.c). It is found by what decides a
 * convolution's cost on one machine, never by threads or batch, so one table means one result.
 * Files of it are formats/tuning.h's matter, measuring is measure/tune.h's. */
#ifndef DP_PLAN_TUNING_H
#define DP_PLAN_TUNING_H

#include "base/cpu.h"
#include "base/memory.h"
#include "kernels/kernels.h"
#include "kernels/winograd.h"

/* A convolution that can be computed by Winograd's algorithm: C channels to K outputs of H x W,
 * windows of taps x taps at stride 1. phases 2: over the phases of a picture (conv/phases.c), whose
 * channels, sizes and taps these are; else 1. */
typedef struct dp_tuning_key {
    dp_isa isa;
    int channels, outputs, height, width, taps, phases;
} dp_tuning_key;

/* points: of the largest tile, 0: the direct product. even: tiles as even as can be, not the
 * largest and a remainder. panel: most output blocks of a panel, which changes no bit of the
 * result. */
typedef struct dp_tuning_choice {
    int points;
    bool even;
    int panel;
} dp_tuning_choice;

typedef struct dp_tuned {
    dp_tuning_key key;
    dp_tuning_choice choice;
} dp_tuned;

typedef struct dp_tuning {
    const deeper_allocator *allocator;
    dp_tuned *items; /* no key twice */
    size_t count, capacity;
} dp_tuning;

enum { DP_TUNING_MAX = 4096 }; /* convolutions of a table */

/* The choice for a key, NULL if there is none. tuning may be NULL. */
const dp_tuning_choice *dp_tuning_find(const dp_tuning *tuning, const dp_tuning_key *key);

/* Adds a choice, or replaces that of the same key. Zeroed but for its allocator to begin with.
 * Errors: MEMORY, LIMIT. */
deeper_status dp_tuning_put(dp_tuning *tuning, const dp_tuned *tuned, deeper_error *error);

/* Frees the items. */
void dp_tuning_free(dp_tuning *tuning);

/* conv/tiles.c: appends what a choice means, in a few words. */
void dp_tuning_describe(const dp_tuning_key *key, const dp_tuning_choice *choice, dp_buffer *text);

/* conv/tiles.c: all choices for a key whose instruction set this build has that differ in what
 * is done, the direct product first. Returns how many. */
enum { DP_TUNING_CANDIDATES = 64 };
int dp_winograd_candidates(dp_tuning_choice candidates[DP_TUNING_CANDIDATES],
                           const dp_tuning_key *key);

bool dp_tuning_same_choice(const dp_tuning_choice *a, const dp_tuning_choice *b);
bool dp_tuning_same_key(const dp_tuning_key *a, const dp_tuning_key *b);

#endif
