/* onnx_imported.h - what the importer makes of a small ONNX file, asked by layers' names. A
 * question about what is not there fails the test. */
#ifndef TEST_HELPERS_ONNX_IMPORTED_H
#define TEST_HELPERS_ONNX_IMPORTED_H

#include "formats/onnx/onnx_import.h"
#include "helpers/onnx_maker.h"

typedef struct imported {
    dp_onnx_file file;
    dp_onnx_network network;
    deeper_error error;
    deeper_status status;
} imported;

/* Imports and frees the maker. */
imported imported_make(maker *m);
void imported_free(imported *import);

const dp_node *imported_layer(const imported *import, const char *name);
float imported_value(const imported *import, const char *parameter, size_t index);

void imported_assert_shape(const dp_node *node, int c, int h, int w);

/* Imports and frees the maker: this must fail, with a text in the message. */
void imported_assert_refused(maker *m, deeper_status status, const char *text);

/* A model whose input is any number of pictures. */
maker *maker_picture(int opset, int64_t c, int64_t h, int64_t w);

#endif
