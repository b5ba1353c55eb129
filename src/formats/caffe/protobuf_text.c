/* protobuf_text.c - see protobuf_text.h. */
#include "formats/caffe/protobuf_text.h"

#include "base/number.h"

#include <string.h>

static void indent(dp_buffer *text, int depth) {
    for (; depth > 0; depth--)
        dp_buffer_printf(text, "  ");
}

static void print_string(dp_buffer *text, const char *value) {
    dp_buffer_printf(text, "\"");
    for (const unsigned char *c = (const unsigned char *)value; *c; c++)
        if (*c < 0x20 || *c > 0x7e || *c == '"' || *c == '\\')
            dp_buffer_printf(text, "\\%03o", (unsigned)*c);
        else
            dp_buffer_append(text, c, 1);
    dp_buffer_printf(text, "\"");
}

static void print_enum(dp_buffer *text, const ProtobufCEnumDescriptor *type, int number) {
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);
    if (value)
        dp_buffer_printf(text, "%s", value->name);
    else
        dp_buffer_printf(text, "%d", number);
}

static size_t size_of(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return 8;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    default:
        return 4;
    }
}

static void print_message(dp_buffer *text, const ProtobufCMessage *message, const char *skip,
                          int depth);

static void print_value(dp_buffer *text, const ProtobufCFieldDescriptor *field, const void *at,
                        const char *skip, int depth) {
    indent(text, depth);
    dp_buffer_printf(text, "%s", field->name);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        dp_buffer_printf(text, " {\n");
        print_message(text, *(const ProtobufCMessage *const *)at, skip, depth + 1);
        indent(text, depth);
        dp_buffer_printf(text, "}\n");
        return;
    }
    dp_buffer_printf(text, ": ");
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        print_string(text, *(const char *const *)at);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        print_enum(text, field->descriptor, *(const int *)at);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        dp_buffer_printf(text, "%s", *(const protobuf_c_boolean *)at ? "true" : "false");
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        dp_buffer_printf(text, "%.9g", (double)*(const float *)at);
        break;
    case PROTOBUF_C_TYPE_INT64:
        dp_buffer_printf(text, "%lld", (long long)*(const int64_t *)at);
        break;
    case PROTOBUF_C_TYPE_INT32:
        dp_buffer_printf(text, "%d", *(const int32_t *)at);
        break;
    default:
        dp_buffer_printf(text, "%u", *(const uint32_t *)at);
    }
    dp_buffer_printf(text, "\n");
}

static void print_message(dp_buffer *text, const ProtobufCMessage *message, const char *skip,
                          int depth) {
    const char *base = (const char *)message;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const char *at = base + field->offset;
        if (skip && strcmp(field->name, skip) == 0)
            continue;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t count = *(const size_t *)(const void *)(base + field->quantifier_offset);
            const char *values = *(const char *const *)(const void *)at;
            for (size_t k = 0; k < count; k++)
                print_value(text, field, values + k * size_of(field->type), skip, depth);
        } else {
            bool pointer =
                field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE;
            if (pointer
                    ? *(const void *const *)(const void *)at != NULL
                    : *(const protobuf_c_boolean *)(const void *)(base + field->quantifier_offset)
                          != 0)
                print_value(text, field, at, skip, depth);
        }
    }
}

void dp_protobuf_text(dp_buffer *text, const ProtobufCMessage *message, const char *skip) {
    dp_c_locale locale = dp_c_locale_enter();
    print_message(text, message, skip, 0);
    dp_c_locale_leave(locale);
}
