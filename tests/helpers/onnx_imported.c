/* onnx_imported.c - see onnx_imported.h. */
#include "helpers/onnx_imported.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

imported imported_make(maker *m) {
    imported it = { 0 };
    size_t size;
    void *bytes = maker_pack(m, &size);
    it.status = dp_onnx_parse(&it.file, bytes, size, "made", NULL, NULL, &it.error);
    if (it.status == DEEPER_OK)
        it.status = dp_onnx_import(&it.network, &it.file, &it.error);
    free(bytes);
    maker_free(m);
    return it;
}

void imported_free(imported *it) {
    dp_onnx_network_free(&it->network, NULL);
    dp_onnx_free(&it->file);
}

const dp_node *imported_layer(const imported *it, const char *name) {
    if (it->status != DEEPER_OK)
        fail_msg("%s", it->error.message);
    int node = dp_graph_find(it->network.graph, name);
    if (node < 0)
        fail_msg("no layer %s", name);
    return &it->network.graph->nodes[node];
}

float imported_value(const imported *it, const char *parameter, size_t index) {
    return dp_onnx_at(&it->network.parameters[imported_layer(it, parameter)->parameter], index);
}

void imported_assert_shape(const dp_node *node, int c, int h, int w) {
    assert_int_equal(node->shape.c, c);
    assert_int_equal(node->shape.h, h);
    assert_int_equal(node->shape.w, w);
}

void imported_assert_refused(maker *m, deeper_status status, const char *text) {
    imported it = imported_make(m);
    if (it.status != status || !strstr(it.error.message, text)
        || strncmp(it.error.message, "made: ", 6) != 0)
        fail_msg("status %d: '%s' and not %d: '%s'", (int)it.status, it.error.message, (int)status,
                 text);
    assert_null(it.network.graph);
    imported_free(&it);
}

maker *maker_picture(int opset, int64_t c, int64_t h, int64_t w) {
    return maker_create(opset, (int64_t[]){ 0, c, h, w }, 4);
}
