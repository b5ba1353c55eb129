/* yolo_yaml.c - data.yaml, read by libyaml as a tree. Anchors share nodes there and nothing is
 * copied per use, so that a small file stays small. */
#include "data/yolo_yaml.h"

#include <stdio.h>
#include <string.h>

const char *const dp_yolo_parts[DP_YOLO_PARTS] = { "train", "val", "test" };

#if !DP_HAVE_YAML

deeper_status dp_yolo_yaml_parse(dp_yolo_yaml *yaml, dp_boxes_reader *reader, const char *text,
                                 size_t size, const char *name) {
    return dp_fail(reader->error, DEEPER_ERROR_UNSUPPORTED,
                   "%s: this build has no libyaml; write the classes into classes.txt, a name a "
                   "line, beside images and labels",
                   name);
}

#else
#include <yaml.h>

/* The text of a plain value, NULL: it is none. */
static const char *scalar(const yaml_node_t *node, size_t *size) {
    if (!node || node->type != YAML_SCALAR_NODE)
        return NULL;
    *size = node->data.scalar.length;
    return (const char *)node->data.scalar.value;
}

/* What a map has for a key of text; NULL: nothing. */
static yaml_node_t *member(yaml_document_t *document, const yaml_node_t *map, const char *key) {
    size_t size = 0;
    if (!map || map->type != YAML_MAPPING_NODE)
        return NULL;
    for (const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
         pair < map->data.mapping.pairs.top; pair++) {
        const char *text = scalar(yaml_document_get_node(document, pair->key), &size);
        if (text && strcmp(text, key) == 0)
            return yaml_document_get_node(document, pair->value);
    }
    return NULL;
}

/* A path, or of a list of paths the first, into out; "" where there is none or it is too long. */
static void take_path(char out[2048], yaml_document_t *document, const yaml_node_t *node) {
    size_t size = 0;
    if (node && node->type == YAML_SEQUENCE_NODE
        && node->data.sequence.items.top > node->data.sequence.items.start)
        node = yaml_document_get_node(document, *node->data.sequence.items.start);
    const char *text = scalar(node, &size);
    out[0] = '\0';
    if (text && size < 2048)
        memcpy(out, text, size + 1);
}

/* Class `number`; one of a name that is there already gets its number behind it, for its place
 * counts. */
static deeper_status take_name(dp_boxes_reader *reader, const char *text, size_t size,
                               const char *name) {
    const size_t number = reader->boxes->class_count;
    size_t index = 0;
    char with_number[256];
    if (!text || size == 0)
        return dp_fail(reader->error, DEEPER_ERROR_FORMAT, "%s: name %zu of names is no text", name,
                       number);
    if (dp_name_index_get(&reader->classes, text, size, &index)) {
        snprintf(with_number, sizeof with_number, "%.200s (%zu)", text, number);
        text = with_number;
        size = strlen(text);
    }
    return dp_boxes_class(reader, text, size, (int64_t)number, &index);
}

static deeper_status take_names(dp_boxes_reader *reader, yaml_document_t *document,
                                const yaml_node_t *names, const char *name) {
    size_t size = 0;
    char key[32];
    if (names && names->type == YAML_SEQUENCE_NODE) {
        for (const yaml_node_item_t *item = names->data.sequence.items.start;
             item < names->data.sequence.items.top; item++) {
            const char *text = scalar(yaml_document_get_node(document, *item), &size);
            DP_TRY(take_name(reader, text, size, name));
        }
        return DEEPER_OK;
    }
    if (!names || names->type != YAML_MAPPING_NODE)
        return dp_fail(reader->error, DEEPER_ERROR_FORMAT,
                       "%s: names is missing; it is a list of the classes", name);
    const ptrdiff_t count = names->data.mapping.pairs.top - names->data.mapping.pairs.start;
    for (ptrdiff_t i = 0; i < count && i < DP_BOXES_CLASSES / 10; i++) {
        snprintf(key, sizeof key, "%td", i);
        const char *text = scalar(member(document, names, key), &size);
        DP_TRY(take_name(reader, text, size, name));
    }
    return DEEPER_OK;
}

deeper_status dp_yolo_yaml_parse(dp_yolo_yaml *yaml, dp_boxes_reader *reader, const char *text,
                                 size_t size, const char *name) {
    yaml_parser_t parser;
    yaml_document_t document;
    *yaml = (dp_yolo_yaml){ .root = "" };
    if (!yaml_parser_initialize(&parser))
        return dp_fail_memory(reader->error, "a YAML parser");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    if (!yaml_parser_load(&parser, &document)) {
        const deeper_status status =
            parser.error == YAML_MEMORY_ERROR
                ? dp_fail_memory(reader->error, "a YAML document")
                : dp_fail_at(reader->error, DEEPER_ERROR_FORMAT, (int64_t)parser.problem_offset,
                             "%s:%zu: %s", name, parser.problem_mark.line + 1,
                             parser.problem ? parser.problem : "damaged YAML");
        yaml_parser_delete(&parser);
        return status;
    }
    const yaml_node_t *root = yaml_document_get_root_node(&document);
    take_path(yaml->root, &document, member(&document, root, "path"));
    for (int i = 0; i < DP_YOLO_PARTS; i++)
        take_path(yaml->parts[i], &document, member(&document, root, dp_yolo_parts[i]));
    const deeper_status status =
        take_names(reader, &document, member(&document, root, "names"), name);
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    return status;
}
#endif
