/* packs.c - the packed weights of one model, shared by its plans: entries found by key, made once, never changed. */
#include "plan/lower.h"

#include <pthread.h>
#include <string.h>

typedef struct pack {
    char *key;
    float *values;
} pack;

struct dp_packs {
    const deeper_allocator *allocator;
    pthread_mutex_t mutex;
    pack *items;
    size_t count, capacity;
};

deeper_status dp_packs_create(dp_packs **packs, const deeper_allocator *allocator, deeper_error *error) {
    dp_packs *made = dp_alloc(allocator, 1, sizeof *made);
    if (!made)
        return dp_fail_memory(error, "the table of packed weights");
    made->allocator = allocator;
    pthread_mutex_init(&made->mutex, NULL);
    *packs = made;
    return DEEPER_OK;
}

void dp_packs_free(dp_packs *packs) {
    if (!packs)
        return;
    for (size_t i = 0; i < packs->count; i++) {
        dp_free(packs->allocator, packs->items[i].key);
        dp_free(packs->allocator, packs->items[i].values);
    }
    dp_free(packs->allocator, packs->items);
    pthread_mutex_destroy(&packs->mutex);
    dp_free(packs->allocator, packs);
}

static deeper_status add(dp_packs *packs, const char *key, size_t floats, dp_pack_fill *fill, const void *context,
                         deeper_error *error) {
    void *items = packs->items;
    bool room = dp_reserve(packs->allocator, &items, &packs->capacity, packs->count + 1, sizeof *packs->items);
    packs->items = items;
    pack made = { dp_strdup(packs->allocator, key), dp_alloc(packs->allocator, floats, sizeof(float)) };
    if (!room || !made.key || !made.values) {
        dp_free(packs->allocator, made.key);
        dp_free(packs->allocator, made.values);
        return dp_fail_memory(error, "packed weights");
    }
    fill(made.values, context);
    packs->items[packs->count++] = made;
    return DEEPER_OK;
}

deeper_status dp_packs_get(dp_packs *packs, const char *key, size_t floats, dp_pack_fill *fill, const void *context,
                           const float **values, deeper_error *error) {
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
