/* packs.c - the packed weights of one model, shared by its plans: entries found by key, made once,
 * never changed. They lie one after another in a few large slabs, which the system can back with
 * huge pages. */
#include "plan/passes.h"

#include "base/arithmetic.h"

#include <pthread.h>
#include <string.h>

enum { SLAB_FLOATS = 2 << 20, FLOATS_ALIGNMENT = DP_ALIGNMENT / (int)sizeof(float) };

typedef struct pack {
    char *key;
    float *values; /* in a slab */
} pack;

typedef struct slab {
    float *floats;
    size_t used, size;
} slab;

struct dp_packs {
    const deeper_allocator *allocator;
    pthread_mutex_t mutex;
    pack *items;
    size_t count, capacity;
    slab *slabs; /* the last one is being filled */
    size_t slab_count, slab_capacity;
};

deeper_status dp_packs_create(dp_packs **packs, const deeper_allocator *allocator,
                              deeper_error *error) {
    dp_packs *created = dp_alloc(allocator, 1, sizeof *created);
    if (!created)
        return dp_fail_memory(error, "the table of packed weights");
    created->allocator = allocator;
    pthread_mutex_init(&created->mutex, NULL);
    *packs = created;
    return DEEPER_OK;
}

void dp_packs_free(dp_packs *packs) {
    if (!packs)
        return;
    for (size_t i = 0; i < packs->count; i++)
        dp_free(packs->allocator, packs->items[i].key);
    for (size_t i = 0; i < packs->slab_count; i++)
        dp_free(packs->allocator, packs->slabs[i].floats);
    dp_free(packs->allocator, packs->items);
    dp_free(packs->allocator, packs->slabs);
    pthread_mutex_destroy(&packs->mutex);
    dp_free(packs->allocator, packs);
}

/* Zeroed room for `floats` floats, NULL if memory is out. What is left of a slab that cannot hold
 * it stays unused. */
static float *take(dp_packs *packs, size_t floats) {
    size_t size = dp_round_up(floats, FLOATS_ALIGNMENT);
    slab *last = packs->slab_count ? &packs->slabs[packs->slab_count - 1] : NULL;
    if (!last || size > last->size - last->used) {
        void *slabs = packs->slabs;
        bool room = dp_reserve(packs->allocator, &slabs, &packs->slab_capacity,
                               packs->slab_count + 1, sizeof *packs->slabs);
        packs->slabs = slabs;
        size_t whole = size > SLAB_FLOATS ? size : SLAB_FLOATS;
        float *fresh = room ? dp_alloc_raw(packs->allocator, whole, sizeof *fresh) : NULL;
        if (!fresh)
            return NULL;
        last = &packs->slabs[packs->slab_count++];
        *last = (slab){ fresh, 0, whole };
    }
    float *values = last->floats + last->used;
    last->used += size;
    memset(values, 0, floats * sizeof *values);
    return values;
}

static deeper_status add(dp_packs *packs, const char *key, size_t floats, dp_pack_fill *fill,
                         const void *context, deeper_error *error) {
    void *items = packs->items;
    bool room = dp_reserve(packs->allocator, &items, &packs->capacity, packs->count + 1,
                           sizeof *packs->items);
    packs->items = items;
    pack fresh = { .key = room ? dp_strdup(packs->allocator, key) : NULL };
    fresh.values = fresh.key ? take(packs, floats) : NULL;
    if (!fresh.values) {
        dp_free(packs->allocator, fresh.key);
        return dp_fail_memory(error, "packed weights");
    }
    fill(fresh.values, context);
    packs->items[packs->count++] = fresh;
    return DEEPER_OK;
}

deeper_status dp_packs_get(dp_packs *packs, const char *key, size_t floats, dp_pack_fill *fill,
                           const void *context, const float **values, deeper_error *error) {
    deeper_status status = DEEPER_OK;
    size_t i = 0;
    pthread_mutex_lock(&packs->mutex);
    while (i < packs->count && strcmp(packs->items[i].key, key) != 0)
        i++;
    if (i == packs->count)
        status = add(packs, key, floats, fill, context, error);
    if (status == DEEPER_OK)
        *values = packs->items[i].values;
    pthread_mutex_unlock(&packs->mutex);
    return status;
}
