/* budget.h - memory that several threads may take together: who wants more than is left waits. Why
 * here: what one picture may take is bounded by its limits, what the pictures of all readers take
 * together by this. */
#ifndef DP_BASE_BUDGET_H
#define DP_BASE_BUDGET_H

#include "base/memory.h"

#include <pthread.h>

typedef struct dp_budget {
    pthread_mutex_t mutex;
    pthread_cond_t given;
    uint64_t limit, used; /* bytes */
} dp_budget;

void dp_budget_begin(dp_budget *budget, uint64_t limit);
void dp_budget_end(dp_budget *budget);

/* Waits until `bytes`, at most the limit, are left and takes them. A thread that holds some does
 * not take more: two of them would wait for each other. */
void dp_budget_take(dp_budget *budget, uint64_t bytes);
void dp_budget_give(dp_budget *budget, uint64_t bytes);

#endif
