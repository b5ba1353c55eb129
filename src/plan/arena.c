/* arena.c - the last pass: offsets in one arena for all storages, so that two that are alive in one
 * phase never overlap. Largest first, each at the lowest offset that is free during its life
 * (greedy by size: within a few percent of the best for chains of layers; the peak is printed with
 * the plan). */
#include "plan/passes.h"

#include <stdlib.h>

enum { FLOATS_ALIGNMENT = DP_ALIGNMENT / (int)sizeof(float) };

typedef struct piece {
    int storage, first, last;
    size_t begin, floats;
} piece;

static int larger_first(const void *a, const void *b) {
    const piece *x = a, *y = b;
    if (x->floats != y->floats)
        return x->floats < y->floats ? 1 : -1;
    return x->storage - y->storage;
}

static int lower_first(const void *a, const void *b) {
    const piece *x = *(piece *const *)a, *y = *(piece *const *)b;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static deeper_status measure(const dp_plan *plan, piece *pieces, int *count, deeper_error *error) {
    for (int i = 0; i < plan->storage_count; i++) {
        const dp_storage *s = &plan->storages[i];
        size_t floats;
        if (s->first > s->last)
            continue;
        if (!dp_size_mul(s->image, (size_t)plan->max_batch, &floats) || floats > SIZE_MAX / 16
            || s->fixed > SIZE_MAX / 16)
            return dp_fail(error, DEEPER_ERROR_LIMIT,
                           "a batch of %d images does not fit into memory", plan->max_batch);
        floats = dp_round_up(floats + s->fixed, FLOATS_ALIGNMENT);
        pieces[(*count)++] = (piece){ i, s->first, s->last, 0, floats };
    }
    return DEEPER_OK;
}

/* The lowest offset for pieces[index] among those placed before it. `others` has room for all. */
static size_t lowest(piece *pieces, int index, piece **others) {
    int count = 0;
    for (int i = 0; i < index; i++)
        if (pieces[i].first <= pieces[index].last && pieces[index].first <= pieces[i].last)
            others[count++] = &pieces[i];
    qsort(others, (size_t)count, sizeof *others, lower_first);
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        if (others[i]->begin >= at + pieces[index].floats)
            break;
        size_t end = others[i]->begin + others[i]->floats;
        at = end > at ? end : at;
    }
    return at;
}

deeper_status dp_pass_arena(dp_lowering *lowering, deeper_error *error) {
    dp_plan *plan = lowering->plan;
    piece *pieces = dp_alloc(plan->allocator, (size_t)plan->storage_count, sizeof *pieces);
    piece **others = dp_alloc(plan->allocator, (size_t)plan->storage_count, sizeof(piece *));
    int count = 0;
    deeper_status status = pieces && others ? measure(plan, pieces, &count, error)
                                            : dp_fail_memory(error, "the arena's table");
    if (status == DEEPER_OK) {
        qsort(pieces, (size_t)count, sizeof *pieces, larger_first);
        for (int i = 0; i < count && status == DEEPER_OK; i++) {
            pieces[i].begin = lowest(pieces, i, others);
            plan->storages[pieces[i].storage].offset = pieces[i].begin;
            size_t end = pieces[i].begin + pieces[i].floats;
            if (end > PTRDIFF_MAX / sizeof(float))
                status = dp_fail(error, DEEPER_ERROR_LIMIT,
                                 "a batch of %d images does not fit into memory", plan->max_batch);
            plan->arena_floats = end > plan->arena_floats ? end : plan->arena_floats;
        }
    }
    dp_free(plan->allocator, pieces);
    dp_free(plan->allocator, others);
    return status;
}

void dp_print_arena(const dp_lowering *lowering, dp_buffer *text) {
    const dp_plan *plan = lowering->plan;
    dp_buffer_printf(text, "storage %12s %12s  phases\n", "at", "bytes");
    for (int i = 0; i < plan->storage_count; i++) {
        const dp_storage *s = &plan->storages[i];
        if (s->first <= s->last)
            dp_buffer_printf(text, "%7d %12zu %12zu  %d to %d\n", i, s->offset * sizeof(float),
                             (s->image * (size_t)plan->max_batch + s->fixed) * sizeof(float),
                             s->first, s->last);
    }
    dp_buffer_printf(text, "arena %zu bytes\n", dp_plan_arena_bytes(plan));
}
