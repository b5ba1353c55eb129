/* fuzz_graph_json.c - any text as a network in JSON: what can be read is written again, read again,
 * and the same.
 *
 * covers: src/model/graph_json.c src/graph/match.c src/graph/attributes.c */
#include "graph/match.h"
#include "helpers/fuzz.h"
#include "model/graph_json.h"

#include <stdlib.h>
#include <string.h>

static dp_graph_span whole(const dp_graph *graph) {
    dp_graph_span span = { graph, 0, dp_graph_find(graph, "prob") };
    while (graph->nodes[span.input].op != DP_OP_INPUT)
        span.input++;
    return span;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    dp_graph *graph, *again = NULL;
    deeper_error error = { 0 };
    char *text = malloc(size + 1);
    fuzz_demand(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    deeper_status status = dp_graph_from_json(&graph, text, "input", NULL, &error);
    free(text);
    fuzz_demand((status == DEEPER_OK) == (graph != NULL)
                && (status == DEEPER_OK || error.status == status));
    if (!graph)
        return 0;
    char *json = dp_graph_to_json(graph);
    fuzz_demand(json && dp_graph_from_json(&again, json, "input", NULL, &error) == DEEPER_OK
                && again->count == graph->count);
    int *pairs = malloc((size_t)graph->count * sizeof *pairs);
    bool same = false;
    dp_graph_span a = whole(graph), b = whole(again);
    fuzz_demand(pairs && dp_graph_match(&a, &b, pairs, &same, &error) == DEEPER_OK && same);
    free(pairs);
    free(json);
    dp_graph_free(graph);
    dp_graph_free(again);
    return 0;
}
