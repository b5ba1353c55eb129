/* loader.c - the ring of slots between the readers and the consumer. Slots are numbered by the
 * order of the source: `claimed` have been given to readers, `taken` to the consumer, and slot
 * number i lies at i mod slot_count; a slot belongs to its reader until `done`, then to the
 * consumer. One lock guards these counts; preparing and copying happen outside it. */
#include "data/loader.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

enum {
    GRACE_NANOSECONDS = 200 * 1000 * 1000
}; /* for a source that is asked when the loader is freed */

typedef struct slot {
    dp_item item;
    float *tensor;
    bool done;
} slot;

struct dp_loader {
    pthread_mutex_t lock;
    pthread_cond_t room, ready; /* for the readers: a slot may be free, the source may be asked; for
                                   the consumer: a slot is done */
    const deeper_allocator *allocator;
    dp_loader_options options;
    slot *slots;
    float *tensors;
    size_t claimed, taken;
    bool asking; /* a reader is inside `next` */
    pthread_t asker;
    bool ended;  /* nothing more is claimed: the source has ended, memory is out or the loader is
                    being freed */
    bool failed; /* memory was out for a path */
    pthread_t *threads;
    int started;
    bool left_behind; /* the asker was still inside the source when the loader was freed, and owns a
                         share of it */
    int owners;       /* the last one frees */
};

void dp_item_clear(dp_item *item) {
    dp_free(item->allocator, item->path);
    *item = (dp_item){ 0 };
}

static slot *slot_at(const dp_loader *loader, size_t number) {
    return &loader->slots[number % loader->options.slots];
}

/* Gives up one owner's share. The structure itself is from malloc (allocator NULL), for a reader
 * that was left behind may outlive the caller's allocator; all else in it is freed by
 * dp_loader_free. */
static void release(dp_loader *loader) {
    pthread_mutex_lock(&loader->lock);
    int owners = --loader->owners;
    pthread_mutex_unlock(&loader->lock);
    if (owners > 0)
        return;
    pthread_cond_destroy(&loader->room);
    pthread_cond_destroy(&loader->ready);
    pthread_mutex_destroy(&loader->lock);
    dp_free(NULL, loader);
}

/* -------------------------------------------------------------------------------------- readers */

static void end(dp_loader *loader) {
    loader->ended = true;
    pthread_cond_broadcast(&loader->room);
    pthread_cond_broadcast(&loader->ready);
}

/* Asks the source with the lock released. The slot of the answer, or NULL: no more. */
static slot *ask(dp_loader *loader) {
    dp_job job = { .label = -1 };
    loader->asking = true;
    loader->asker = pthread_self();
    pthread_mutex_unlock(&loader->lock);
    int more = loader->options.next(loader->options.context, &job);
    pthread_mutex_lock(&loader->lock);
    loader->asking = false;
    pthread_cond_broadcast(&loader->room);
    if (loader->ended)
        return NULL;
    char *copy = more && job.path ? dp_strdup(loader->allocator, job.path) : NULL;
    if (!more || (job.path && !copy)) {
        loader->failed = more != 0;
        end(loader);
        return NULL;
    }
    slot *claimed = slot_at(loader, loader->claimed++);
    claimed->item = (dp_item){
        .key = job.key, .label = job.label, .path = copy, .allocator = loader->allocator
    };
    return claimed;
}

static slot *claim(dp_loader *loader) {
    pthread_mutex_lock(&loader->lock);
    while (!loader->ended
           && (loader->asking || loader->claimed - loader->taken == loader->options.slots))
        pthread_cond_wait(&loader->room, &loader->lock);
    bool asked = !loader->ended;
    slot *claimed = asked ? ask(loader) : NULL;
    bool left_behind = asked && loader->left_behind;
    pthread_mutex_unlock(&loader->lock);
    if (left_behind)
        release(loader);
    return claimed;
}

static void load(dp_loader *loader, slot *claimed) {
    deeper_error error = { 0 };
    claimed->item.status =
        loader->options.prepare(loader->options.context, &claimed->item, claimed->tensor, &error);
    memcpy(claimed->item.message, error.message, sizeof error.message);
}

static void *reader(void *argument) {
    dp_loader *loader = argument;
    for (slot *claimed; (claimed = claim(loader));) {
        load(loader, claimed);
        pthread_mutex_lock(&loader->lock);
        claimed->done = true;
        pthread_cond_signal(&loader->ready);
        pthread_mutex_unlock(&loader->lock);
    }
    return NULL;
}

/* Starts the readers with all signals blocked, so that the host's handlers run on the host's own
 * threads. */
static deeper_status start(dp_loader *loader, deeper_error *error) {
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int failure = 0;
    while (!failure && loader->started < loader->options.readers) {
        failure = pthread_create(&loader->threads[loader->started], NULL, reader, loader);
        loader->started += !failure;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!failure)
        return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_IO,
                   "readers: the system started %d of %d threads; ask for fewer", loader->started,
                   loader->options.readers);
}

/* ------------------------------------------------------------------------------------- consumer */

static bool reserve(dp_loader *loader) {
    size_t all = 0;
    if (!dp_size_mul(loader->options.floats, loader->options.slots, &all))
        return false;
    loader->slots = dp_alloc(loader->allocator, loader->options.slots, sizeof *loader->slots);
    loader->tensors = dp_alloc_raw(loader->allocator, all, sizeof *loader->tensors);
    loader->threads =
        dp_alloc(loader->allocator, (size_t)loader->options.readers, sizeof *loader->threads);
    if (!loader->slots || !loader->tensors || !loader->threads)
        return false;
    for (size_t i = 0; i < loader->options.slots; i++)
        loader->slots[i].tensor = loader->tensors + i * loader->options.floats;
    return true;
}

deeper_status dp_loader_create(dp_loader **out, const dp_loader_options *options,
                               const deeper_allocator *allocator, deeper_error *error) {
    dp_loader *loader = dp_alloc(NULL, 1, sizeof *loader);
    if (!loader)
        return dp_fail_memory(error, "the loader of pictures");
    loader->allocator = allocator;
    loader->options = *options;
    loader->owners = 1;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->room, &monotonic);
    pthread_cond_init(&loader->ready, NULL);
    pthread_condattr_destroy(&monotonic);
    deeper_status status =
        reserve(loader)
            ? start(loader, error)
            : dp_fail_memory(error, "the pictures that are read ahead; fewer readers need less");
    if (status != DEEPER_OK) {
        dp_loader_free(loader);
        return status;
    }
    *out = loader;
    return DEEPER_OK;
}

deeper_status dp_loader_take(dp_loader *loader, size_t capacity, dp_item *items, float *tensors,
                             size_t *count, deeper_error *error) {
    size_t first = loader->taken, taken = 0;
    pthread_mutex_lock(&loader->lock);
    while (first == loader->claimed ? !loader->ended : !slot_at(loader, first)->done)
        pthread_cond_wait(&loader->ready, &loader->lock);
    while (taken < capacity && first + taken < loader->claimed
           && slot_at(loader, first + taken)->done)
        taken++;
    bool failed = taken == 0 && loader->failed;
    pthread_mutex_unlock(&loader->lock);
    *count = taken;
    if (failed)
        return dp_fail_memory(error, "the path of a picture");
    for (size_t i = 0; i < taken; i++) {
        slot *full = slot_at(loader, first + i);
        if (full->item.status == DEEPER_OK) {
            memcpy(tensors, full->tensor, loader->options.floats * sizeof *tensors);
            tensors += loader->options.floats;
        }
        items[i] = full->item;
        full->item = (dp_item){ 0 };
    }
    pthread_mutex_lock(&loader->lock);
    for (size_t i = 0; i < taken; i++)
        slot_at(loader, first + i)->done = false;
    loader->taken += taken;
    pthread_cond_broadcast(&loader->room);
    pthread_mutex_unlock(&loader->lock);
    return DEEPER_OK;
}

/* Ends claiming; true: a reader is still inside the source after the grace. */
static bool stop(dp_loader *loader) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += GRACE_NANOSECONDS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&loader->lock);
    end(loader);
    int waited = 0;
    while (loader->asking && waited == 0)
        waited = pthread_cond_timedwait(&loader->room, &loader->lock, &until);
    bool blocked = loader->asking;
    loader->left_behind = blocked;
    loader->owners += blocked;
    pthread_mutex_unlock(&loader->lock);
    return blocked;
}

void dp_loader_free(dp_loader *loader) {
    if (!loader)
        return;
    bool blocked = stop(loader);
    for (int i = 0; i < loader->started; i++)
        if (blocked && pthread_equal(loader->threads[i], loader->asker))
            pthread_detach(loader->threads[i]);
        else
            pthread_join(loader->threads[i], NULL);
    for (size_t i = 0; loader->slots && i < loader->options.slots; i++)
        dp_item_clear(&loader->slots[i].item);
    dp_free(loader->allocator, loader->slots);
    dp_free(loader->allocator, loader->tensors);
    dp_free(loader->allocator, loader->threads);
    release(loader);
}
