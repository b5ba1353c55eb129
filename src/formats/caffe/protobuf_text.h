/* protobuf_text.h - a message in protobuf's text form, from what protobuf-c knows of its type. */
#ifndef DP_FORMATS_PROTOBUF_TEXT_H
#define DP_FORMATS_PROTOBUF_TEXT_H

#include "base/memory.h"

#include <protobuf-c/protobuf-c.h>

/* Appends `name: value` and `name { ... }` lines of all fields that are set, in the order of the
 * type, but not the fields named `skip` (NULL: none). Knows the kinds of field that our types have:
 * 32- and 64-bit integers, float, bool, enum, string, message. Texts are quoted; bytes outside
 * printable ASCII are written in octal. A failure stays in the buffer. */
void dp_protobuf_text(dp_buffer *text, const ProtobufCMessage *message, const char *skip);

#endif
