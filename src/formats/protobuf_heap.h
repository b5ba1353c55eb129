/* protobuf_heap.h - what protobuf-c may take to read a stranger's message: a bound by the size of
 * its bytes. Why here: protobuf-c allocates by what a message claims, a pointer for every empty
 * field; two bytes of a file could cost a hundred of memory. It allocates with malloc (see
 * deeper.h). */
#ifndef DP_FORMATS_PROTOBUF_HEAP_H
#define DP_FORMATS_PROTOBUF_HEAP_H

#include "base/memory.h"

#include <protobuf-c/protobuf-c.h>

/* Reads `bytes` as the message of this type: at most 4 x size + 16 MB of memory. *message is freed
 * by dp_protobuf_free. `what` names the format in messages ("caffemodel"). Errors: FORMAT, LIMIT,
 * MEMORY. */
deeper_status dp_protobuf_unpack(ProtobufCMessage **message, const ProtobufCMessageDescriptor *type,
                                 const void *bytes, size_t size, const char *name, const char *what,
                                 deeper_error *error);
void dp_protobuf_free(ProtobufCMessage *message); /* NULL is a no-op */

#endif
