/* handles.c - handles made and freed, arguments and versioned structures checked. */
#include "api/handles.h"

#include <string.h>

enum {
    LATER_BYTES = 4096
}; /* no later version of an options structure is larger; a size above is not a size */

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
    if (claimed < size || claimed > LATER_BYTES)
        return dp_fail(error, DEEPER_ERROR_ARGUMENT,
                       "%s.size is %zu, which is no version of it (this one: %zu); initialize it "
                       "with the macro that ends in _INIT",
                       name, claimed, size);
    const unsigned char *later = (const unsigned char *)given + size;
    for (size_t i = 0; i < claimed - size; i++)
        if (later[i])
            return dp_fail(error, DEEPER_ERROR_UNSUPPORTED,
                           "%s: sets a member that came after deeper %s; link a later library",
                           name, DP_VERSION);
    memcpy(options, given, size);
    memcpy(options, &size, sizeof size);
    return DEEPER_OK;
}
