/* budget.c - see budget.h. */
#include "base/budget.h"

#include <assert.h>

void dp_budget_begin(dp_budget *budget, uint64_t limit) {
    *budget = (dp_budget){ .mutex = PTHREAD_MUTEX_INITIALIZER,
                           .given = PTHREAD_COND_INITIALIZER,
                           .limit = limit };
}

void dp_budget_end(dp_budget *budget) {
    pthread_cond_destroy(&budget->given);
    pthread_mutex_destroy(&budget->mutex);
}

void dp_budget_take(dp_budget *budget, uint64_t bytes) {
    assert(bytes <= budget->limit);
    pthread_mutex_lock(&budget->mutex);
    while (bytes > budget->limit - budget->used)
        pthread_cond_wait(&budget->given, &budget->mutex);
    budget->used += bytes;
    pthread_mutex_unlock(&budget->mutex);
}

void dp_budget_give(dp_budget *budget, uint64_t bytes) {
    pthread_mutex_lock(&budget->mutex);
    budget->used -= bytes;
    pthread_cond_broadcast(&budget->given);
    pthread_mutex_unlock(&budget->mutex);
}
