/* onnx_imported.c - see onnx_imported.h. */
#include "helpers/onnx_imported.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

imported imported_make(maker *m) {
    imported import = { 0 };
    size_t size;
    void *bytes = maker_pack(m, &size);
    import.status = dp_onnx_parse(&import.file, bytes, size, "made", NULL, NULL, &import.error);
    if (import.status == DEEPER_OK)
        import.status = dp_onnx_import(&import.network, &import.file, &import.error);
    free(bytes);
    maker_free(m);
    return import;
}

void imported_free(imported *import) {
    dp_onnx_network_free(&import->network, NULL);
    dp_onnx_free(&import->file);
}

const dp_node *imported_layer(const imported *import, const char *name) {
    if (import->status != DEEPER_OK)
        fail_msg("%s", import->error.message);
    int node = dp_graph_find(import->network.graph, name);
    if (node < 0)
        fail_msg("no layer %s", name);
    return &import->network.graph->nodes[node];
}

float imported_value(const imported *import, const char *parameter, size_t index) {
    return dp_onnx_at(&import->network.parameters[imported_layer(import, parameter)->parameter],
                      index);
}

void imported_assert_shape(const dp_node *node, int c, int h, int w) {
    assert_int_equal(node->shape.c, c);
    assert_int_equal(node->shape.h, h);
    assert_int_equal(node->shape.w, w);
}

void imported_assert_refused(maker *m, deeper_status status, const char *text) {
    imported import = imported_make(m);
    if (import.status != status || !strstr(import.error.message, text)
        || strncmp(import.error.message, "made: ", 6) != 0)
        fail_msg("status %d: '%s' and not %d: '%s'", (int)import.status, import.error.message,
                 (int)status, text);
    assert_null(import.network.graph);
    imported_free(&import);
}

maker *maker_picture(int opset, int64_t c, int64_t h, int64_t w) {
    return maker_create(opset, (int64_t[]){ 0, c, h, w }, 4);
}
