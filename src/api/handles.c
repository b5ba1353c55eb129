/* handles.c - handles made and freed, arguments and versioned structures checked. */
#include "api/handles.h"

#include <string.h>

enum {
    LATER_BYTES = 4096
}; /* no later version of a structure is larger; a size above is not a size */

/* Whether it may be the size of a structure of this header, in any version. */
static bool is_size(size_t size) {
    return size > sizeof size && size % sizeof size == 0 && size <= LATER_BYTES;
}

deeper_status dp_need_result(const void *result, size_t size, const char *argument,
                             deeper_error *error) {
    DP_TRY(dp_need(result, argument, error));
    if (is_size(size))
        return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                   "%s: its size is %zu; give sizeof of the structure", argument, size);
}

void dp_result_give(void *result, size_t size, const void *value, size_t own) {
    size_t both = size < own ? size : own;
    memcpy(result, value, both);
    memset((unsigned char *)result + both, 0, size - both);
}

deeper_status dp_need_readers(int readers, deeper_error *error) {
    if (readers >= 0 && readers <= DP_THREADS_MAX)
        return DEEPER_OK;
    return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                   "readers is %d; 1 to %d threads are (0: as many as the processors)", readers,
                   DP_THREADS_MAX);
}

deeper_status dp_handle_create(void **handle, size_t size, const deeper_allocator *allocator,
                               deeper_error *error) {
    if (allocator && (!allocator->allocate || !allocator->release))
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "allocator: allocate and release must both be set");
    dp_owner *owner = dp_alloc(allocator, 1, size);
    if (!owner)
        return dp_fail_memory(error, "a handle");
    if (allocator) {
        owner->copy = *allocator;
        owner->allocator = &owner->copy;
    }
    *handle = owner;
    return DEEPER_OK;
}

void dp_handle_free(void *handle) {
    dp_owner *owner = handle;
    const deeper_allocator copy =
        owner->copy; /* the handle cannot free itself through what lies in it */
    dp_free(owner->allocator ? &copy : NULL, handle);
}

deeper_status dp_options_read(void *options, size_t size, const void *given, const char *name,
                              deeper_error *error) {
    if (!given)
        return DEEPER_OK;
    size_t claimed = 0;
    memcpy(&claimed, given, sizeof claimed);
    if (!is_size(claimed))
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s.size is %zu, which is no version of it (this one: %zu); initialize it "
                       "with the macro that ends in _INIT",
                       name, claimed, size);
    for (size_t i = size; i < claimed; i++)
        if (((const unsigned char *)given)[i])
            return dp_fail(error, DEEPER_ERROR_UNSUPPORTED,
                           "%s: sets a member that came after deeper %s; link a later library",
                           name, DP_VERSION);
    memcpy(options, given, claimed < size ? claimed : size);
    memcpy(options, &size, sizeof size);
    return DEEPER_OK;
}
